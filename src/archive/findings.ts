// What was found wrong with stored files, and what people and the program do about it. Every action is noted with its
// outcome, and nothing ends a finding but a file that was read again and is sound, or somebody who accepts it.

import type { Catalog, InstanceLocation } from '../catalog/catalog.ts';
import type { Finding, FindingAction, FindingKind, FindingState } from '../catalog/upkeep.ts';
import { type Adopt, adoptFile } from './adopt.ts';
import { ArchiveError } from './errors.ts';
import type { Notices } from './notices.ts';
import { type Reach, type Repair, type RepairSite, repair } from './repair.ts';
import { isUnlisted } from './unlisted-files.ts';

/** `read-again` also sets permissions right; `restore` takes the bytes from this volume, `fetch-back` from the second
 *  archive; `adopt` takes an unknown file in; `accept` leaves everything as it is. */
export type FindingActionName = 'read-again' | 'restore' | 'fetch-back' | 'adopt' | 'accept';

const REACH: Readonly<Partial<Record<FindingActionName, Reach>>> = {
  restore: 'local',
  'fetch-back': 'second-archive',
};

const OVER = 'the archive has nothing of this at this place any more';

export interface FindingsSite extends RepairSite, Adopt {
  readonly notices: Notices;
}

export class Findings {
  readonly #site: FindingsSite;

  constructor(site: FindingsSite) {
    this.#site = site;
  }

  /** Newest first, in pages; `below` the id of the last one seen. */
  list(state?: FindingState, below?: number): Promise<readonly Finding[]> {
    return this.#site.catalog.ask('findings', {
      ...(state === undefined ? {} : { state }),
      ...(below === undefined ? {} : { below }),
    });
  }

  /** With everything that was done about it. Throws ArchiveError 'not-found'. */
  async get(id: number): Promise<{ readonly finding: Finding; readonly actions: readonly FindingAction[] }> {
    const found = await this.#site.catalog.ask('finding', id);
    if (found === undefined) throw new ArchiveError('not-found', `There is no finding ${id}.`);
    return found;
  }

  /** What can be done about a finding. */
  actionsFor({ kind, state }: Finding): readonly FindingActionName[] {
    if (state !== 'open') return [];
    if (kind === 'unknown') return ['adopt', 'accept'];
    const fetching = this.#site.fetchBack === undefined ? [] : (['fetch-back'] as const);
    return ['read-again', 'restore', ...fetching, 'accept'];
  }

  /** Carries out one action; answers the finding as it is then. Throws ArchiveError. */
  async act(id: number, action: FindingActionName, by: string): Promise<Finding> {
    const { finding } = await this.get(id);
    if (!this.actionsFor(finding).includes(action)) {
      throw new ArchiveError(
        'invalid-request',
        `Finding ${id} is ${finding.state}; '${action}' does not apply.`,
      );
    }
    const { isSound, outcome } = await this.#carryOut(finding, action);
    const state = action === 'accept' ? 'accepted' : isSound ? 'solved' : undefined;
    await this.#note(id, { by, action, outcome }, state);
    await this.tell();
    return (await this.get(id)).finding;
  }

  /** A finding of a run: repaired at once where that is possible. Answers whether it is new, and whether it is solved. */
  async found(
    damage: { readonly kind: FindingKind; readonly path: string; readonly reason: string },
    instance: InstanceLocation | undefined,
  ): Promise<{ readonly isNew: boolean; readonly isSolved: boolean }> {
    const { catalog, now } = this.#site;
    const { finding, isNew } = await catalog.ask('report', {
      ...damage,
      sopInstanceUid: instance?.sopInstanceUid ?? '',
      foundAt: now().toISOString(),
    });
    if (finding.state === 'accepted') return { isNew: false, isSolved: false };
    const done = instance === undefined ? undefined : await repair(this.#site, instance, 'both');
    // What cannot be repaired is tried again with every run, and noted once.
    if (done !== undefined && (isNew || done.isSound)) {
      const action = { by: 'integrity', action: 'repair', outcome: done.outcome };
      await this.#note(finding.id, action, done.isSound ? 'solved' : undefined);
    }
    return { isNew, isSolved: done?.isSound ?? false };
  }

  /** The file is sound: whatever was found there before is over. */
  async sound(path: string): Promise<void> {
    const at = this.#site.now().toISOString();
    const action = { at, by: 'integrity', action: 'read-again', outcome: 'read again, it is sound' };
    await this.#site.catalog.ask('solve', { path, ...action });
  }

  /** Ends open findings about what is no longer so: unknown files that have gone, instances that have. */
  async recheck(): Promise<void> {
    const { catalog } = this.#site;
    let below: number | undefined;
    for (;;) {
      const page = await this.list('open', below);
      for (const finding of page) {
        const isOver =
          finding.kind === 'unknown'
            ? !(await isUnlisted(this.#site, finding.path))
            : (await contentAt(catalog, finding)) === undefined;
        const action = { by: 'integrity', action: 'read-again', outcome: OVER };
        if (isOver) await this.#note(finding.id, action, 'solved');
      }
      below = page.at(-1)?.id;
      if (below === undefined) return;
    }
  }

  /** Says how many wait for somebody. */
  async tell(): Promise<void> {
    const { catalog, notices } = this.#site;
    const count = await catalog.ask('openFindings', undefined);
    if (count === 0) await notices.clear('findings');
    else await notices.raise({ code: 'findings', level: 'urgent', params: { count } });
  }

  async #carryOut(finding: Finding, action: FindingActionName): Promise<Repair> {
    if (action === 'accept') return { isSound: false, outcome: 'accepted as it is' };
    if (action === 'adopt') return adoptFile(this.#site, finding.path);
    const instance = await contentAt(this.#site.catalog, finding);
    if (instance === undefined) {
      return { isSound: true, outcome: OVER };
    }
    return repair(this.#site, instance, REACH[action] ?? 'none');
  }

  async #note(
    finding: number,
    action: Omit<FindingAction, 'at'>,
    state: FindingState | undefined,
  ): Promise<void> {
    const at = this.#site.now().toISOString();
    await this.#site.catalog.ask('act', {
      finding,
      at,
      ...action,
      ...(state === undefined ? {} : { state }),
    });
  }
}

/** The content, current or older, that should be at the path of a finding. */
async function contentAt(
  catalog: Catalog,
  { path, sopInstanceUid }: Finding,
): Promise<InstanceLocation | undefined> {
  const current = await catalog.locate(sopInstanceUid);
  if (current === undefined || current.location.path === path) return current;
  const older = (await catalog.superseded(sopInstanceUid)).find((location) => location.path === path);
  return older && { ...current, location: older };
}
