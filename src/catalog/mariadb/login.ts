// May this user enter this server? Asked before anything is built on the answer.

import { createConnection, SqlError } from 'mariadb';
import { messageOf } from '../../util/errors.ts';

const CONNECT_MS = 5000;
/** ER_ACCESS_DENIED_ERROR, and the same for a user who has to be somebody else on the machine. */
const REFUSED: ReadonlySet<number> = new Set([1045, 1698]);

export interface Login {
  readonly socketPath: string;
  readonly user: string;
  readonly password: string;
}

export type LoginAnswer =
  | { readonly is: 'accepted' }
  | { readonly is: 'refused' | 'unreachable'; readonly reason: string };

export async function tryLogin({ socketPath, user, password }: Login): Promise<LoginAnswer> {
  try {
    const connection = await createConnection({
      socketPath,
      user,
      password,
      connectTimeout: CONNECT_MS,
      logParam: false,
    });
    await connection.end();
    return { is: 'accepted' };
  } catch (error) {
    const sqlError = error instanceof SqlError ? error : undefined;
    const reason = sqlError?.sqlMessage ?? messageOf(error);
    return { is: REFUSED.has(sqlError?.errno ?? 0) ? 'refused' : 'unreachable', reason };
  }
}
