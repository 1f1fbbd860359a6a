// Forwarding rules: every condition counts, patterns fit as people mean them.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ForwardingRule, routesOf } from '../../../src/jobs/forwarding-rules.ts';

const record = {
  patient: { id: '1', issuer: '', attributes: {} },
  study: { uid: '1.2', attributes: { '00081030': { vr: 'LO', Value: ['Coronary Angiography'] } } },
  series: {
    uid: '1.3',
    attributes: {
      '00080060': { vr: 'CS', Value: ['XA'] },
      '0008103E': { vr: 'LO', Value: ['LCA 3D'] },
    },
  },
  instance: { uid: '1.4', sopClassUid: '1.2.840.10008.5.1.4.1.1.12.1', attributes: {} },
  location: {
    ...{ path: 'p', transferSyntaxUid: '1', sha256: 'a', dataSetBytes: 1, dataSetOffset: 1, fileBytes: 2 },
    ...{ receivedAt: '2026-01-01T00:00:00.000Z', sourceAeTitle: 'DSA' },
  },
};
const rule = (conditions: Partial<ForwardingRule>): ForwardingRule => ({
  ...{ destination: 'WS', unit: 'instance', quietSeconds: 60 },
  ...conditions,
});
const goes = (conditions: Partial<ForwardingRule>) => routesOf(record, [rule(conditions)], []).length === 1;

describe('a rule', () => {
  const cases: [Partial<ForwardingRule>, boolean][] = [
    [{}, true],
    [{ source: ['CT', 'DSA'] }, true],
    [{ source: ['CT'] }, false],
    [{ modality: ['XA'] }, true],
    [{ modality: ['CT'], source: ['DSA'] }, false],
    [{ sopClass: ['1.2.840.10008.5.1.4.1.1.12.1'] }, true],
    [{ sopClass: ['1.2.840.10008.5.1.4.1.1.2'] }, false],
    [{ description: '*angio*' }, true],
    [{ description: 'coronary angiography' }, true],
    [{ description: 'coronary' }, false],
    [{ description: 'LCA*' }, true],
    [{ description: 'lca ?d' }, true],
    [{ description: '*3D' }, true],
    [{ description: '3D*' }, false],
    [{ description: '*o*o*y*' }, true],
    [{ description: '*y*o*y*y' }, false],
    [{ description: '*' }, true],
    [{ destination: 'DSA' }, false],
  ];
  for (const [conditions, expected] of cases) {
    test(`${JSON.stringify(conditions)}: ${expected ? 'goes' : 'stays'}`, () =>
      assert.equal(goes(conditions), expected));
  }
});

test('a pattern made to be slow is not', () => {
  const attributes = { '00081030': { vr: 'LO', Value: ['a'.repeat(20_000)] } };
  const slow = { ...record, study: { ...record.study, attributes } };
  const before = process.cpuUsage().user;
  routesOf(slow, [rule({ description: `${'*a'.repeat(31)}*b` })], []);
  assert.ok(process.cpuUsage().user - before < 500_000);
});

test('each destination once, with the shortest wait; a second archive gets everything at once', () => {
  const rules = [
    rule({ unit: 'study' }),
    rule({ unit: 'study', quietSeconds: 5 }),
    rule({ destination: 'PACS', unit: 'study' }),
  ];
  assert.deepEqual(routesOf(record, rules, ['PACS', 'SECOND']), [
    { destination: 'WS', quietS: 5 },
    { destination: 'PACS', quietS: 0 },
    { destination: 'SECOND', quietS: 0 },
  ]);
});
