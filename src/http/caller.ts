// Who asks, as the door through which the request came has found out.

/** `open`: this machine, and no account is set. `password`: a session. `relay`: DSM's desktop vouches for the user. */
export type Mode = 'open' | 'password' | 'relay';

export interface Caller {
  readonly mode: Mode;
  readonly authenticated: boolean;
  readonly user?: string;
  /** Of DSM's desktop, for the app. */
  readonly language?: 'en' | 'zh-CN';
  /** Calls from the machine itself. */
  readonly isLocal: boolean;
  /** The session's key in the cookie, to end it. */
  readonly token?: string;
}

/** The name under which changes are written into the audit. */
export function userOf({ user, mode }: Caller): string {
  return user ?? (mode === 'open' ? 'this machine' : 'unknown');
}
