# An FTP server for the files in one directory: vsftpd.sh DIRECTORY HOST PORT DATA_PORT
# It stays the user who started it.
cat > "$1/../vsftpd.conf" <<CONF
listen=YES
listen_address=$2
listen_port=$3
pasv_min_port=$4
pasv_max_port=$4
run_as_launching_user=YES
background=NO
seccomp_sandbox=NO
isolate=NO
isolate_network=NO
anonymous_enable=YES
local_enable=NO
no_anon_password=YES
anon_root=$1
anon_upload_enable=YES
anon_world_readable_only=NO
write_enable=YES
allow_writeable_chroot=YES
xferlog_enable=NO
CONF
exec /usr/sbin/vsftpd "$1/../vsftpd.conf"
