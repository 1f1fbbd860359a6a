// Every cell of PS3.8 Table 9-10, driven through a real machine: state after, bytes sent, primitives issued.
import assert from 'node:assert/strict';
import { describe, mock, test } from 'node:test';
import { UlError } from '../../../src/ul/errors.ts';
import { encodeAssociateAc, encodeAssociateRq } from '../../../src/ul/pdu-encoder.ts';
import { type Action, type Event, STATE_TABLE, type State } from '../../../src/ul/state-table.ts';
import {
  A_ABORT_USER,
  A_ASSOCIATE_AC,
  A_ASSOCIATE_RJ,
  A_ASSOCIATE_RQ,
  A_RELEASE_RP,
  A_RELEASE_RQ,
  bytesOf,
  P_DATA_TF,
} from './encoded-pdus.ts';
import { AC, ARTIM_MS, type Machine, machineIn, RQ } from './machine.ts';

const FIRE: Record<Event, (machine: Machine) => void> = {
  Evt1: ({ upperLayer }) => upperLayer.request(encodeAssociateRq(RQ)),
  Evt2: ({ upperLayer }) => upperLayer.connected(),
  Evt3: ({ transport }) => transport.receive(A_ASSOCIATE_AC),
  Evt4: ({ transport }) => transport.receive(A_ASSOCIATE_RJ),
  Evt5: ({ upperLayer }) => upperLayer.indicated(),
  Evt6: ({ transport }) => transport.receive(A_ASSOCIATE_RQ),
  Evt7: (machine) => machine.accept(),
  Evt8: ({ upperLayer }) => upperLayer.reject({ result: 1, source: 1, reason: 3 }),
  Evt9: ({ upperLayer }) => {
    upperLayer.send([P_DATA_TF]);
  },
  Evt10: ({ transport }) => transport.receive(P_DATA_TF),
  Evt11: ({ upperLayer }) => upperLayer.requestRelease(),
  Evt12: ({ transport }) => transport.receive(A_RELEASE_RQ),
  Evt13: ({ transport }) => transport.receive(A_RELEASE_RP),
  Evt14: ({ upperLayer }) => upperLayer.respondRelease(),
  Evt15: ({ upperLayer }) => upperLayer.abort(new UlError('ul-aborted', 'test')),
  Evt16: ({ transport }) => transport.receive(A_ABORT_USER),
  Evt17: ({ transport }) => transport.disconnect(),
  Evt18: () => mock.timers.tick(ARTIM_MS),
  Evt19: ({ transport }) => transport.receive(bytesOf('ff 00 00000000')),
};

// What each action does, as Tables 9-6 to 9-9 put it. `sends` undefined: some A-ABORT, looked at below.
interface Effect {
  readonly to: State;
  readonly sends?: Buffer;
  readonly aborts?: true;
  readonly issues?: readonly string[];
  readonly closes?: true;
}

const EFFECTS: Record<Action, Effect> = {
  'AE-1': { to: 'Sta4' },
  'AE-2': { to: 'Sta5', sends: encodeAssociateRq(RQ) },
  'AE-3': { to: 'Sta6', issues: ['A-ASSOCIATE-AC'] },
  'AE-4': { to: 'Sta1', issues: ['A-ASSOCIATE-RJ'], closes: true },
  'AE-5': { to: 'Sta2' },
  'AE-6': { to: 'Sta3', issues: ['A-ASSOCIATE-RQ'] },
  'AE-7': { to: 'Sta6', sends: encodeAssociateAc(AC) },
  'AE-8': { to: 'Sta13', sends: A_ASSOCIATE_RJ },
  'DT-1': { to: 'Sta6', sends: P_DATA_TF },
  'DT-2': { to: 'Sta6', issues: ['P-DATA echo', 'P-DATA 0123456789'] },
  'AR-1': { to: 'Sta7', sends: A_RELEASE_RQ },
  'AR-2': { to: 'Sta8', issues: ['A-RELEASE indication'] },
  'AR-3': { to: 'Sta1', issues: ['ended'], closes: true },
  'AR-4': { to: 'Sta13', sends: A_RELEASE_RP, issues: ['ended'] },
  'AR-5': { to: 'Sta1', closes: true },
  'AR-6': { to: 'Sta7', issues: ['P-DATA echo', 'P-DATA 0123456789'] },
  'AR-7': { to: 'Sta8', sends: P_DATA_TF },
  'AR-8': { to: 'Sta9', issues: ['A-RELEASE indication'] },
  'AR-9': { to: 'Sta11', sends: A_RELEASE_RP },
  'AR-10': { to: 'Sta12', issues: ['A-RELEASE confirmation'] },
  'AA-1': { to: 'Sta13', aborts: true, issues: ['ended'] },
  'AA-2': { to: 'Sta1', issues: ['ended'], closes: true },
  'AA-3': { to: 'Sta1', issues: ['ended'], closes: true },
  'AA-4': { to: 'Sta1', issues: ['ended'], closes: true },
  'AA-5': { to: 'Sta1', closes: true },
  'AA-6': { to: 'Sta13' },
  'AA-7': { to: 'Sta13', aborts: true },
  'AA-8': { to: 'Sta13', aborts: true, issues: ['ended'] },
};

const STATES = Object.keys(STATE_TABLE) as State[];
const EVENTS = Object.keys(FIRE) as Event[];

for (const state of STATES) {
  describe(state, () => {
    for (const event of EVENTS) {
      const action = STATE_TABLE[state][event];
      if (action === undefined) continue;
      test(`${state} + ${event} → ${action} (PS3.8 Table 9-10)`, (context) => {
        mock.timers.enable({ apis: ['setTimeout'] });
        context.after(() => mock.timers.reset());
        const machine = machineIn(state);
        FIRE[event](machine);
        const effect = EFFECTS[action];
        const sent = machine.transport.takeWritten();
        assert.equal(machine.upperLayer.state, effect.to);
        if (effect.aborts) assert.equal(sent.toString('hex', 0, 6), '070000000004');
        else assert.deepEqual(sent, effect.sends ?? Buffer.alloc(0));
        // After an end that came before, nothing is issued a second time.
        const issues = state === 'Sta13' ? [] : (effect.issues ?? []);
        assert.deepEqual(machine.log, issues);
        assert.equal(machine.transport.isClosed, effect.closes === true);
      });
    }

    test(`${state}: events with an empty cell change nothing`, (context) => {
      mock.timers.enable({ apis: ['setTimeout'] });
      context.after(() => mock.timers.reset());
      for (const event of EVENTS) {
        // Evt18 comes only while the timer runs; where we wait elsewhere see upper-layer-timer.test.ts.
        if (STATE_TABLE[state][event] !== undefined || event === 'Evt18') continue;
        const machine = machineIn(state);
        if (event === 'Evt9') assert.throws(() => FIRE.Evt9(machine), UlError);
        else FIRE[event](machine);
        assert.equal(machine.upperLayer.state, state, event);
        assert.equal(machine.transport.takeWritten().length, 0, event);
        assert.deepEqual(machine.log, [], event);
      }
    });
  });
}

test('AE-6: a protocol version without bit 0 → A-ASSOCIATE-RJ 1/2/2, Sta13 (PS3.8 Table 9-21)', () => {
  const machine = machineIn('Sta2');
  const request = Buffer.from(A_ASSOCIATE_RQ);
  request.writeUInt16BE(2, 6);
  machine.transport.receive(request);
  assert.equal(machine.upperLayer.state, 'Sta13');
  assert.deepEqual(machine.transport.takeWritten(), bytesOf('03 00 00000004 00 01 02 02'));
  assert.equal(machine.reasons[0]?.code, 'ul-protocol-version');
  machine.transport.disconnect();
});

test('AE-6: another application context → A-ASSOCIATE-RJ 1/1/2, Sta13 (PS3.8 Table 9-21)', () => {
  const machine = machineIn('Sta2');
  const request = Buffer.from(A_ASSOCIATE_RQ);
  request.write('9', request.indexOf('1.2.840.10008.3.1.1.1') + 20);
  machine.transport.receive(request);
  assert.deepEqual(machine.transport.takeWritten(), bytesOf('03 00 00000004 00 01 01 02'));
  assert.equal(machine.reasons[0]?.code, 'ul-application-context');
  machine.transport.disconnect();
});

test('AR-8: the acceptor goes to Sta10, the requestor to Sta9', () => {
  for (const state of ['Sta10', 'Sta9'] as const) machineIn(state).transport.disconnect();
});
