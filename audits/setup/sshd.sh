# An SSH server that knows one key, which it makes: sshd.sh DIRECTORY HOST PORT
# Everything of it is in the directory: no key, no configuration and no account of this machine is changed.
ssh-keygen -q -t ed25519 -N "" -C "" -f "$1/host_key"
ssh-keygen -q -t ed25519 -N "" -C "" -f "$1/user_key"
if [ "$(id -u)" = 0 ]; then mkdir -p /run/sshd; fi
cat > "$1/sshd_config" <<CONF
ListenAddress $2
Port $3
HostKey $1/host_key
AuthorizedKeysFile $1/user_key.pub
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
PermitUserRC no
UsePAM no
PidFile none
Subsystem sftp internal-sftp
CONF
exec /usr/sbin/sshd -D -e -f "$1/sshd_config"
