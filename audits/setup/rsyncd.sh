# An rsync daemon for the files in one directory: rsyncd.sh DIRECTORY HOST PORT
# It stays the user who started it, and writes only there.
cat > "$1/rsyncd.conf" <<CONF
use chroot = no
uid = $(id -u)
gid = $(id -g)
[files]
path = $1
read only = no
CONF
exec rsync --daemon --no-detach --address="$2" --port="$3" --config="$1/rsyncd.conf" --log-file=/dev/stderr
