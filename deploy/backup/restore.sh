#!/bin/sh
# Prepare a data directory from a base backup and the received write-ahead log, to its very end:
# restore.sh BACKUP WAL DATA
#
# BACKUP is a folder of base-backup.sh, WAL the folder of receive-wal.sh (which must have ended), DATA the new
# data directory: absolute paths. Run it as the user that PostgreSQL runs as, then start PostgreSQL: it
# replays the log and is ready when that is done. Then run `xinqiao-gateway log check`.
set -eu

die() {
    echo "$1" >&2
    exit 2
}

[ $# = 3 ] || die "usage: restore.sh BACKUP WAL DATA"
backup=$1 wal=$2 data=$3
for path in "$backup" "$wal" "$data"; do
    case $path in
        *[!A-Za-z0-9_./-]*) die "$path has signs that a path may not have here: letters, digits, _ . / - only." ;;
        /*) ;;
        *) die "$path is no absolute path." ;;
    esac
done
[ -f "$backup/backup_manifest" ] || die "$backup is no base backup."
[ ! -s "$backup/tablespace_map" ] || die "$backup has tablespaces: restore them by hand."
ls "$wal"/[0-9A-F]* >/dev/null 2>&1 || die "$wal has no write-ahead log: without it, what came after the backup is lost."
if [ -e "$data" ]; then
    [ -d "$data" ] && [ -z "$(ls -A "$data")" ] ||
        die "$data is not empty. Move it away and keep it: it may have what the backup has not."
fi

umask 077
pg_verifybackup --quiet "$backup"
mkdir -p "$data"
cp -Rp "$backup/." "$data"
chmod 700 "$data"
rm -f "$data"/.s.PGSQL.* # a socket that lay beside the data, and its lock

# The last segment was not full when it was received: .partial. Commits no longer wait for a receiver,
# which has still to begin anew.
cat >>"$data/postgresql.auto.conf" <<EOF
restore_command = 'cp "$wal/%f" "%p" 2>/dev/null || cp "$wal/%f.partial" "%p" 2>/dev/null'
recovery_target_timeline = 'latest'
synchronous_standby_names = ''
EOF
touch "$data/recovery.signal"
echo "$data is ready: start PostgreSQL on it."
