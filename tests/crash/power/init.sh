#!/bin/sh
# PID 1 inside. What it is to do comes on the kernel's command line, as environment.
mount -t proc proc /proc
mount -t tmpfs tmpfs /mnt
mkdir /mnt/disk
mount -t "$POWER_FS" /dev/ubda /mnt/disk || echo "POWER cannot mount"
"$POWER_PYTHON" "$POWER_INSIDE"
echo "POWER end"
sync
sleep 1000
