# An rsync daemon for the files in one directory: rsyncd.sh DIRECTORY HOST PORT
# It stays the user who started it, and writes only there.
{
  echo "use chroot = no"
  # Only root can be told to stay itself, and has to be.
  if [ "$(id -u)" = 0 ]; then
    echo "uid = 0"
    echo "gid = 0"
  fi
  echo "[files]"
  echo "path = $1"
  echo "read only = no"
} > "$1/rsyncd.conf"
exec rsync --daemon --no-detach --address="$2" --port="$3" --config="$1/rsyncd.conf" --log-file=/dev/stderr
