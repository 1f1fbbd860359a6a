// What the person in front of the app should know as long as this program runs: a short list, each kind once. What
// outlives it is in archive/notices.ts.
import { z } from 'zod';

export const notice = z.object({
  id: z.string(),
  level: z.enum(['info', 'warning', 'error']),
  code: z.string(),
  params: z.record(z.string(), z.union([z.string(), z.number()])),
  at: z.string(),
});
export type Notice = z.output<typeof notice>;

export class PassingNotices {
  readonly #notices = new Map<string, Notice>();
  readonly #onChange: () => void;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** Until it is cleared; the same code takes the place of itself. */
  set(level: Notice['level'], code: string, params: Notice['params'] = {}): void {
    this.#notices.set(code, { id: code, level, code, params, at: new Date().toISOString() });
    this.#onChange();
  }

  clear(code: string): void {
    if (this.#notices.delete(code)) this.#onChange();
  }

  list(): Notice[] {
    return [...this.#notices.values()];
  }
}
