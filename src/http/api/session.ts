// Signing in and out, and the administrator's account.
import { z } from 'zod';
import { type Account, accountPassword, accountUser } from '../account.ts';
import { userOf } from '../caller.ts';
import { ApiError } from '../problem.ts';
import { Raw, type Route, route } from '../route.ts';
import { SESSION_COOKIE, type Sessions } from '../sessions.ts';
import { SignInThrottle } from '../sign-in-throttle.ts';

export interface SessionRoutesOptions {
  readonly account: Account;
  readonly sessions: Sessions;
  /** Other machines can ask, so an account is needed. */
  readonly isReachable: boolean;
  /** For the audit; never a password. */
  readonly onSignIn: (user: string, address: string, succeeded: boolean) => void;
  readonly onAccountSet: (by: string, user: string) => Promise<void>;
  readonly throttle?: SignInThrottle;
}

const cookie = (value: string, maxAge: string) =>
  `${SESSION_COOKIE}=${value}; Path=/; HttpOnly; SameSite=Strict${maxAge}`;

export function sessionRoutes(options: SessionRoutesOptions): Route[] {
  const { account, sessions, isReachable, onSignIn, onAccountSet } = options;
  const throttle = options.throttle ?? new SignInThrottle();

  const matches = async (address: string, user: string, password: string) => {
    const isRight = await throttle.compare(address, () => account.matches(user, password));
    onSignIn(user, address, isRight);
    return isRight;
  };

  return [
    route({
      method: 'GET',
      path: '/api/session',
      summary: 'Who am I, and do I have to sign in?',
      access: 'everybody',
      answer: z.object({
        mode: z.enum(['open', 'password', 'relay']),
        authenticated: z.boolean(),
        user: z.string().optional(),
        language: z.enum(['en', 'zh-CN']).optional(),
        accountNeeded: z.boolean(),
      }),
      handle: ({ caller: { mode, authenticated, user, language } }) => ({
        mode,
        authenticated,
        ...(user === undefined ? {} : { user }),
        ...(language === undefined ? {} : { language }),
        accountNeeded: isReachable && !account.isSet,
      }),
    }),
    route({
      method: 'POST',
      path: '/api/session',
      summary: 'Sign in: sets the session’s cookie',
      access: 'everybody',
      body: z.object({ user: z.string().max(64), password: z.string().max(200) }),
      handle: async ({ body: { user, password }, address }) => {
        if (!account.isSet) {
          const detail = 'No account is set; set one on the machine itself, or with angiovault account.';
          throw new ApiError(409, 'no-account', detail);
        }
        if (!(await matches(address, user, password)))
          throw new ApiError(401, 'wrong-password', 'User or password is wrong.');
        return new Raw('application/json', undefined, {
          status: 204,
          headers: { 'Set-Cookie': cookie(sessions.begin(user.trim()), '') },
        });
      },
    }),
    route({
      method: 'DELETE',
      path: '/api/session',
      summary: 'Sign out',
      access: 'everybody',
      handle: ({ caller: { token } }) => {
        if (token !== undefined) sessions.end(token);
        return new Raw('application/json', undefined, {
          status: 204,
          headers: { 'Set-Cookie': cookie('', '; Max-Age=0') },
        });
      },
    }),
    route({
      method: 'PUT',
      path: '/api/account',
      summary: 'Set the administrator’s account; a session has to give the password it had',
      body: z.object({
        user: accountUser,
        password: accountPassword,
        oldPassword: z.string().max(200).optional(),
      }),
      handle: async ({ body: { user, password, oldPassword }, caller, address }) => {
        // At this machine without an account, and in DSM's desktop, somebody else vouches for the administrator.
        if (caller.mode === 'password' && !(await matches(address, caller.user ?? '', oldPassword ?? '')))
          throw new ApiError(403, 'wrong-password', 'The old password is wrong.');
        await account.set(user, password);
        sessions.endAll();
        await onAccountSet(userOf(caller), user);
      },
    }),
  ];
}
