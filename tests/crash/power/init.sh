#!/bin/sh
# PID 1 inside. What it is to do comes on the kernel's command line, as environment.
mount -t proc proc /proc
mount -t tmpfs tmpfs /mnt
mkdir /mnt/disk
# Names reach the disk within a second, as they do by chance where it runs for longer; what nobody syncs does not.
[ "$POWER_FS" = ext4 ] && options=commit=1
mount -t "$POWER_FS" -o "${options:-defaults}" /dev/ubda /mnt/disk || echo "POWER cannot mount"
[ "$POWER_FS" = xfs ] && echo 100 >/proc/sys/fs/xfs/xfssyncd_centisecs
"$POWER_PYTHON" "$POWER_INSIDE"
echo "POWER end"
sync
sleep 1000
