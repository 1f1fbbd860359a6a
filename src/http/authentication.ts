// Who calls: found out once per request, from the door it came through, the relay's secret, or the session's cookie.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Middleware, ParameterizedContext } from 'koa';
import { isLoopbackAddress } from '../util/loopback.ts';
import type { Account } from './account.ts';
import type { Caller } from './caller.ts';
import { ApiError } from './problem.ts';
import type { Refusals } from './refusals.ts';
import type { DoorState } from './router.ts';
import { SESSION_COOKIE, type Sessions } from './sessions.ts';

/** A TCP port, or the unix socket to which DSM's desktop app relays. */
export type Door = { readonly kind: 'tcp' } | { readonly kind: 'relay'; readonly secret: string };

export interface AuthenticationOptions {
  readonly door: Door;
  readonly account: Account;
  readonly sessions: Sessions;
  readonly refusals: Refusals;
}

export function authentication(options: AuthenticationOptions): Middleware<DoorState> {
  const { door, refusals } = options;
  if (door.kind === 'relay') {
    const wanted = sha256(door.secret);
    return (context, next) => {
      // The secret is compared by its hash, which takes the same time wherever it differs.
      if (!timingSafeEqual(sha256(context.get('X-AngioVault-Relay')), wanted)) {
        refusals.note('a relayed request without the relay’s secret', { path: context.path });
        throw new ApiError(401, 'relay-secret', 'This socket is for the desktop app of this machine only.');
      }
      context.state.caller = relayedCaller(context);
      return next();
    };
  }
  return (context, next) => {
    context.state.caller = directCaller(context, options);
    return next();
  };
}

function relayedCaller(context: ParameterizedContext): Caller {
  const user = context.get('X-AngioVault-User');
  const language = { chs: 'zh-CN', enu: 'en' }[context.get('X-AngioVault-Language')] as Caller['language'];
  return {
    mode: 'relay',
    authenticated: true,
    user: user === '' ? 'DSM' : user.slice(0, 64),
    ...(language === undefined ? {} : { language }),
    isLocal: true,
  };
}

/** Whoever asks on a TCP port, and neither signed in nor needs to. */
export function isStranger(
  context: ParameterizedContext,
  options: Pick<AuthenticationOptions, 'account' | 'sessions'>,
): boolean {
  return !directCaller(context, options).authenticated;
}

/** Without an account whoever sits at this machine may do everything, and nobody else anything. */
function directCaller(
  context: ParameterizedContext,
  { account, sessions }: Pick<AuthenticationOptions, 'account' | 'sessions'>,
): Caller {
  const isLocal = isLoopbackAddress(context.req.socket.remoteAddress ?? '');
  if (!account.isSet && isLocal) return { mode: 'open', authenticated: true, isLocal };
  const token = context.cookies.get(SESSION_COOKIE);
  const user = token === undefined ? undefined : sessions.user(token);
  if (token === undefined || user === undefined) return { mode: 'password', authenticated: false, isLocal };
  return { mode: 'password', authenticated: true, user, token, isLocal };
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
