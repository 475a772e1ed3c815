#!/bin/sh
# Take a base backup of PostgreSQL and verify it: base-backup.sh FOLDER
#
# Run it as the user that owns the backups. The connection is libpq's (PGHOST, PGPORT, PGUSER,
# PGPASSFILE); the role needs REPLICATION. Prints the folder of the backup. What is not whole is removed.
set -eu

folder=${1:?"usage: base-backup.sh FOLDER"}
umask 077
backup=$folder/base-$(date -u +%Y%m%dT%H%M%SZ)
trap 'rm -rf "$backup.part"' EXIT

pg_basebackup --pgdata="$backup.part" --wal-method=stream --checkpoint=fast --no-password
pg_verifybackup --quiet "$backup.part"
mv "$backup.part" "$backup"
echo "$backup"
