// Settings of any older version come forward step by step, never backward.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MIGRATIONS, type Migration, migrate } from '../../../src/config/migrate.ts';
import { CONFIG_VERSION, configSchema } from '../../../src/config/schema.ts';

const steps: Migration[] = [
  (settings) => ({ ...settings, trail: ['1→2'] }),
  ({ trail, ...rest }) => ({ ...rest, trail: [...(Array.isArray(trail) ? trail : []), '2→3'] }),
];

test('the schema is the version to which the last step leads', () => {
  assert.equal(CONFIG_VERSION, MIGRATIONS.length + 1);
  assert.equal(configSchema.parse({}).version, CONFIG_VERSION);
});

test('every step from the file’s version on runs once, in order', () => {
  assert.deepEqual(migrate({ version: 1 }, 'f', steps), { version: 3, trail: ['1→2', '2→3'] });
  assert.deepEqual(migrate({ version: 2 }, 'f', steps), { version: 3, trail: ['2→3'] });
});

test('current settings come back as the same object: nothing to write', () => {
  const settings = { version: 3 };
  assert.equal(migrate(settings, 'f', steps), settings);
});

test('settings without a version were written by hand for this program', () => {
  const settings = { aeTitle: 'X' };
  assert.equal(migrate(settings, 'f', steps), settings);
});

test('settings of a newer program are refused by name, so that going back loses nothing', () => {
  assert.throws(() => migrate({ version: 4 }, 'config.json', steps), {
    code: 'config-invalid',
    message: 'config.json: version: 4 was written by a newer AngioVault; this one reads up to 3',
  });
});

for (const version of [0, -1, 1.5, '1', null, Number.NaN]) {
  test(`version ${JSON.stringify(version)} is none`, () => {
    assert.throws(() => migrate({ version }, 'f', steps), {
      message: 'f: version: wants a whole number from 1 to 3',
    });
  });
}
