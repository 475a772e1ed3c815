/** A plain store of node-oidc-provider in PostgreSQL: one table, and each write is awaited and committed. */

import pg from 'pg';

const TABLE = `CREATE TABLE IF NOT EXISTS bench_oidc (
  model text, id text, payload jsonb NOT NULL, grant_id text, uid text, user_code text,
  expires_at timestamptz, consumed_at timestamptz, PRIMARY KEY (model, id))`;
const UPSERT = `INSERT INTO bench_oidc (model, id, payload, grant_id, uid, user_code, expires_at)
  VALUES ($1, $2, $3, $4, $5, $6, now() + $7 * interval '1 second')
  ON CONFLICT (model, id) DO UPDATE SET (payload, grant_id, uid, user_code, expires_at) =
    (excluded.payload, excluded.grant_id, excluded.uid, excluded.user_code, excluded.expires_at)`;
const find = (column) => `SELECT payload, extract(epoch FROM consumed_at)::bigint AS consumed FROM bench_oidc
  WHERE model = $1 AND ${column} = $2 AND (expires_at IS NULL OR expires_at > now())`;
const CONSUME = 'UPDATE bench_oidc SET consumed_at = now() WHERE model = $1 AND id = $2';
const DESTROY = 'DELETE FROM bench_oidc WHERE model = $1 AND id = $2';
const REVOKE = 'DELETE FROM bench_oidc WHERE grant_id = $1';

/** The adapter class over `{host, user, database, connections}`, once its table is there. */
export async function postgresAdapter({ host, user, database, connections }) {
  const pool = new pg.Pool({ host, user, database, min: connections, max: connections });
  await pool.query(TABLE);

  // Named statements are prepared once for each connection.
  const run = (name, text, values) => pool.query({ name, text, values });
  const one = async (column, model, value) => {
    const { rows: [row] } = await run(`find_${column}`, find(column), [model, value]);
    return row && { ...row.payload, ...(row.consumed && { consumed: Number(row.consumed) }) };
  };

  return class PostgresAdapter {
    constructor(model) {
      this.model = model;
    }

    async upsert(id, payload, expiresIn) {
      const { grantId, uid, userCode } = payload;
      await run('upsert', UPSERT, [this.model, id, payload, grantId, uid, userCode, expiresIn]);
    }

    find(id) {
      return one('id', this.model, id);
    }

    findByUid(uid) {
      return one('uid', this.model, uid);
    }

    findByUserCode(userCode) {
      return one('user_code', this.model, userCode);
    }

    async consume(id) {
      await run('consume', CONSUME, [this.model, id]);
    }

    async destroy(id) {
      await run('destroy', DESTROY, [this.model, id]);
    }

    async revokeByGrantId(grantId) {
      await run('revoke', REVOKE, [grantId]);
    }
  };
}
