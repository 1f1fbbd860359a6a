// The dialogs of Package Center (WIZARD_UIFILES), in every language from one description.

import type { WizardKey } from '../../src/dsm/context.ts';
import { AE_TITLE, PASSWORD, PORT, SHARE } from '../../src/dsm/rules.ts';
import { WIZARD_WORDS, type WizardWords } from './wizard-words.ts';

interface Field {
  readonly key: WizardKey;
  readonly desc: string;
  readonly defaultValue?: string | boolean;
  readonly hidden?: boolean;
  readonly invalidText?: string;
  readonly validator?: object;
}

interface Item {
  readonly type: 'textfield' | 'password' | 'multiselect';
  readonly desc?: string;
  readonly subitems: readonly Field[];
}

/** `_LANG` behind a file's name; the first one is for everybody else. */
const LANGUAGES = { '': 'enu', _enu: 'enu', _chs: 'chs' } as const;
/** Stands in the upgrade's dialog until its script has looked. */
const SHARE_IN_USE = '@SHARE@';

export interface WizardFile {
  readonly name: string;
  readonly content: string;
}

export function wizards(): WizardFile[] {
  return Object.entries(LANGUAGES).flatMap(([suffix, language]) => {
    const words = WIZARD_WORDS[language];
    return [
      { name: `install_uifile${suffix}`, content: json(install(words)) },
      { name: `uninstall_uifile${suffix}`, content: json(uninstall(words)) },
      { name: `upgrade_uifile${suffix}.sh`, content: upgradeScript(json(upgrade(words))) },
    ];
  });
}

function json(steps: readonly object[]): string {
  return `${JSON.stringify(steps, undefined, 2)}\n`;
}

const step = (title: string, items: readonly Item[]) => ({
  step_title: title,
  invalid_next_disabled_v2: true,
  items,
});

const must = (rule: RegExp, errorText: string) => ({
  allowBlank: false,
  regex: { expr: `/${rule.source}/`, errorText },
});

/** Values for conf/resource that nobody is asked for. */
const hidden = (defaultValue: boolean, ...keys: readonly WizardKey[]): Item => ({
  type: 'multiselect',
  subitems: keys.map((key) => ({ key, desc: key, defaultValue, hidden: true })),
});

function share(words: WizardWords, desc: string, label: string, defaultValue: string): Item {
  return {
    type: 'textfield',
    desc,
    subitems: [{ key: 'wizard_share', desc: label, defaultValue, validator: must(SHARE, words.shareRule) }],
  };
}

function install(words: WizardWords) {
  const database = step(words.databaseTitle, [
    {
      type: 'password',
      desc: words.rootWhy,
      subitems: [{ key: 'wizard_mariadb_root_password', desc: words.root, validator: { allowBlank: false } }],
    },
    {
      type: 'password',
      desc: words.passwordWhy,
      subitems: [
        {
          key: 'wizard_database_password',
          desc: words.password,
          invalidText: words.passwordRule,
          validator: must(PASSWORD, words.passwordRule),
        },
      ],
    },
    hidden(true, 'wizard_create_db', 'wizard_grant_user'),
  ]);
  const network = step(words.archiveTitle, [
    share(words, words.shareWhy, words.share, 'angiovault'),
    {
      type: 'textfield',
      desc: words.networkWhy,
      subitems: [
        {
          key: 'wizard_ae_title',
          desc: words.aeTitle,
          defaultValue: 'ANGIOVAULT',
          validator: must(AE_TITLE, words.aeTitleRule),
        },
        {
          key: 'wizard_port',
          desc: words.port,
          defaultValue: '11112',
          validator: must(PORT, words.portRule),
        },
      ],
    },
  ]);
  return [database, network];
}

function upgrade(words: WizardWords) {
  return [
    step(words.upgradeTitle, [
      share(words, words.upgradeWhy, words.shareInUse, SHARE_IN_USE),
      hidden(false, 'wizard_create_db', 'wizard_grant_user', 'wizard_drop_database'),
    ]),
  ];
}

/** DSM gives a package its shared folder again by the name that stands in the dialog: the one in use. */
function upgradeScript(dialog: string): string {
  return `#!/bin/sh
# The upgrade's dialog, with the name of the shared folder in use.
package=\${SYNOPKG_PKGNAME:-AngioVault}
config=\${SYNOPKG_PKGVAR:-/var/packages/$package/var}/config.json
share=$(sed -n "s#.*\\"/var/packages/$package/shares/\\([A-Za-z0-9_-]*\\)/.*#\\1#p" "$config" 2>/dev/null | head -n 1)
sed "s/${SHARE_IN_USE}/\${share:-angiovault}/" >"\${SYNOPKG_TEMP_LOGFILE:-/dev/stdout}" <<'EOF_OF_DIALOG'
${dialog}EOF_OF_DIALOG
`;
}

function uninstall(words: WizardWords) {
  const ticks = (desc: string, boxes: readonly (readonly [WizardKey, string])[]): Item => ({
    type: 'multiselect',
    desc,
    subitems: boxes.map(([key, label]) => ({ key, desc: label, defaultValue: false })),
  });
  return [
    step(words.leaveTitle, [
      ticks(words.leaveWhy, [
        ['wizard_delete_settings', words.deleteSettings],
        ['wizard_drop_database', words.dropDatabase],
      ]),
      {
        type: 'password',
        desc: words.rootToDrop,
        subitems: [
          { key: 'wizard_mariadb_root_password', desc: words.root, validator: { allowBlank: true } },
        ],
      },
      ticks(words.deleteWhy, [
        ['wizard_delete_archive', words.deleteArchive],
        ['wizard_delete_archive_really', words.deleteReally],
      ]),
    ]),
  ];
}
