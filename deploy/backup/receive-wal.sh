#!/bin/sh
# Receive PostgreSQL's write-ahead log as it is written: receive-wal.sh FOLDER
#
# Runs until it is ended; keep it running by a service manager, on another machine than the database. With
# `synchronous_standby_names` naming xinqiao_wal, a commit waits until it is on this disk. The connection is
# libpq's; the role needs REPLICATION. The slot makes the server keep what was not received yet.
set -eu

folder=${1:?"usage: receive-wal.sh FOLDER"}
umask 077
mkdir -p "$folder"
export PGAPPNAME=xinqiao_wal

pg_receivewal --slot=xinqiao_wal --create-slot --if-not-exists --no-password
exec pg_receivewal --directory="$folder" --slot=xinqiao_wal --synchronous --no-password
