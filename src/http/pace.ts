// Strangers take turns: requests without a session are answered at once as long as there are few, and after a while when
// there are many. Together with the bound on connections that bounds what a flood can make the program do.
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Middleware, ParameterizedContext } from 'koa';
import type { Refusals } from './refusals.ts';
import type { DoorState } from './router.ts';

/** Opening the app takes some twenty. */
const AT_ONCE = 200;
const PER_SECOND = 20;
/** Of one connection, without waiting for answers. */
const MAX_PIPELINED = 32;

export class Pace {
  readonly #now: () => number;
  #left = AT_ONCE;
  #at: number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#at = now();
  }

  /** Whether there are few enough. */
  takes(): boolean {
    const now = this.#now();
    this.#left = Math.min(AT_ONCE, this.#left + ((now - this.#at) / 1000) * PER_SECOND);
    this.#at = now;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}

export interface PaceOptions {
  readonly pace: Pace;
  /** Who neither signed in nor needs to. */
  readonly isStranger: (context: ParameterizedContext) => boolean;
  readonly refusals: Refusals;
  readonly holdMs: number;
}

/** Before everything else: what it costs to refuse is work too. */
export function inTurn({ pace, isStranger, refusals, holdMs }: PaceOptions): Middleware<DoorState> {
  const pipelined = new WeakMap<Socket, number>();
  return async (context, next) => {
    const { socket } = context.req;
    const inHand = (pipelined.get(socket) ?? 0) + 1;
    pipelined.set(socket, inHand);
    context.res.once('close', () => pipelined.set(socket, (pipelined.get(socket) ?? 1) - 1));
    const address = socket.remoteAddress;
    if (inHand > MAX_PIPELINED) {
      refusals.note('a connection that asked for too much at once', { limit: MAX_PIPELINED, address });
      socket.destroy();
    } else if (isStranger(context) && !pace.takes()) {
      refusals.note('too many strangers at once: they wait for their answers', { address });
      await delay(holdMs, undefined, { ref: false });
    }
    if (!socket.destroyed) await next();
  };
}
