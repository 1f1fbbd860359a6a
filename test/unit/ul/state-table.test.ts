// The state table against Tables 9-6 to 9-10 of PS3.8, written down a second time in another shape.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { NEXT_STATE, STATE_TABLE } from '../../../src/ul/state-table.ts';

const ESTABLISHED = [6, 7, 8, 9, 10, 11, 12];
const UNEXPECTED = { 2: 'AA-1', 3: 'AA-8', 5: 'AA-8', ...all(ESTABLISHED, 'AA-8') };

function all(states: readonly number[], action: string): Record<number, string> {
  return Object.fromEntries(states.map((state) => [state, action]));
}

// By event: the action per number of state.
const EXPECTED: Record<string, Record<number, string>> = {
  Evt1: { 1: 'AE-1' },
  Evt2: { 4: 'AE-2' },
  Evt3: { ...UNEXPECTED, 5: 'AE-3', 13: 'AA-6' },
  Evt4: { ...UNEXPECTED, 5: 'AE-4', 13: 'AA-6' },
  Evt5: { 1: 'AE-5' },
  Evt6: { ...UNEXPECTED, 2: 'AE-6', 13: 'AA-7' },
  Evt7: { 3: 'AE-7' },
  Evt8: { 3: 'AE-8' },
  Evt9: { 6: 'DT-1', 8: 'AR-7' },
  Evt10: { ...UNEXPECTED, 6: 'DT-2', 7: 'AR-6', 13: 'AA-6' },
  Evt11: { 6: 'AR-1' },
  Evt12: { ...UNEXPECTED, 6: 'AR-2', 7: 'AR-8', 13: 'AA-6' },
  Evt13: { ...UNEXPECTED, 7: 'AR-3', 10: 'AR-10', 11: 'AR-3', 13: 'AA-6' },
  Evt14: { 8: 'AR-4', 9: 'AR-9', 12: 'AR-4' },
  Evt15: { 3: 'AA-1', 4: 'AA-2', 5: 'AA-1', ...all(ESTABLISHED, 'AA-1') },
  Evt16: { 2: 'AA-2', 3: 'AA-3', 5: 'AA-3', ...all(ESTABLISHED, 'AA-3'), 13: 'AA-2' },
  Evt17: { 2: 'AA-5', 3: 'AA-4', 4: 'AA-4', 5: 'AA-4', ...all(ESTABLISHED, 'AA-4'), 13: 'AR-5' },
  Evt18: { 2: 'AA-2', 13: 'AA-2' },
  Evt19: { ...UNEXPECTED, 13: 'AA-7' },
};

describe('PS3.8 Table 9-10', () => {
  for (const [event, cells] of Object.entries(EXPECTED)) {
    test(event, () => {
      const row: Record<string, string | undefined> = {};
      for (const [state, cell] of Object.entries(STATE_TABLE)) {
        const action = Object.entries(cell).find(([name]) => name === event)?.[1];
        if (action !== undefined) row[state] = action;
      }
      assert.deepEqual(
        row,
        Object.fromEntries(Object.entries(cells).map(([state, action]) => [`Sta${state}`, action])),
      );
    });
  }

  test('thirteen states', () => {
    assert.deepEqual(
      Object.keys(STATE_TABLE),
      Array.from({ length: 13 }, (_, index) => `Sta${index + 1}`),
    );
  });

  test('every action of the table has a next state, and every action is in the table', () => {
    const used = new Set(Object.values(STATE_TABLE).flatMap((cells) => Object.values(cells)));
    assert.deepEqual([...used].sort(), Object.keys(NEXT_STATE).sort());
  });
});
