// Everything that Package Center's dialogs say, in the languages of the package.

import type { Language } from './context.ts';

type Words = Readonly<Record<Language, string>>;

/** `{}` stands for what only the moment knows. */
const WORDS = {
  noWizard: {
    enu: 'AngioVault needs answers to a few questions. Please install or upgrade it in Package Center, not from the command line.',
    chs: 'AngioVault 需要您回答几个问题。请在套件中心安装或升级，不要使用命令行。',
  },
  memoryTotal: {
    enu: 'This NAS has {} MiB of memory; AngioVault needs at least 900 MiB. Please use a model with more memory, or add some.',
    chs: '此 NAS 只有 {} MiB 内存，AngioVault 至少需要 900 MiB。请使用内存更大的机型或加装内存。',
  },
  memoryFree: {
    enu: 'Only {} MiB of memory are free; AngioVault needs 200 MiB. Please stop packages that are not needed, and try again.',
    chs: '目前只有 {} MiB 空闲内存，AngioVault 需要 200 MiB。请停用不需要的套件后重试。',
  },
  rootPassword: {
    enu: 'MariaDB does not accept the password of its user root: {}. Please look into the MariaDB 10 package and enter the password again.',
    chs: 'MariaDB 不接受 root 用户的密码：{}。请在 MariaDB 10 套件中确认后重新输入。',
  },
  databaseAway: {
    enu: 'MariaDB does not answer: {}. Please start the package MariaDB 10 in Package Center, and try again.',
    chs: 'MariaDB 没有应答：{}。请在套件中心启动 MariaDB 10 套件后重试。',
  },
  passwordPolicy: {
    enu: "The password for AngioVault's database user must have at least 10 characters, with a capital letter, a small letter, a digit and one of ! # $ % ( ) * + , - . / : ; = ? @ [ ] ^ _ | ~",
    chs: 'AngioVault 数据库用户的密码至少 10 个字符，须包含大写字母、小写字母、数字，以及 ! # $ % ( ) * + , - . / : ; = ? @ [ ] ^ _ | ~ 之一。',
  },
  aeTitle: {
    enu: 'The AE title "{}" cannot be used: 1 to 16 letters, digits, blanks, _ or -.',
    chs: 'AE Title“{}”无效：请使用 1 至 16 个字母、数字、空格、_ 或 -。',
  },
  portNumber: {
    enu: 'The DICOM port "{}" cannot be used: a whole number from 1024 to 65535. The usual ones are 11112 and 4242.',
    chs: 'DICOM 端口“{}”无效：请输入 1024 至 65535 之间的整数，常用 11112 或 4242。',
  },
  portTaken: {
    enu: 'Another program on this NAS already uses port {}. Please choose another DICOM port.',
    chs: '此 NAS 上的其他程序已占用端口 {}。请选择其他 DICOM 端口。',
  },
  share: {
    enu: 'The shared folder "{}" cannot be used: 1 to 32 letters, digits, _ or -, beginning with a letter or digit.',
    chs: '共享文件夹“{}”无效：1 至 32 个字母、数字、_ 或 -，并以字母或数字开头。',
  },
  otherShare: {
    enu: 'The archive lies in the shared folder "{}". An upgrade cannot move it; please leave that name as it is.',
    chs: '影像库位于共享文件夹“{}”。升级时不能移动，请保持该名称不变。',
  },
  downgrade: {
    enu: 'Version {} is installed, and this file is older. An older program could not read the newer catalogue. The installed version stays and is started again.',
    chs: '已安装版本 {}，而此文件版本较旧。旧程序无法读取新的目录数据库。已安装的版本保持不变并重新启动。',
  },
  upgradeFailed: {
    enu: 'The catalogue could not be brought to the new version: {}. It is as it was; the installed version is started again.',
    chs: '目录数据库无法升级到新版本：{}。目录数据库保持原样，已安装的版本将重新启动。',
  },
  settingsBroken: {
    enu: 'The settings cannot be read: {}. Please mend or remove the file, and try again.',
    chs: '无法读取设置：{}。请修正或删除该文件后重试。',
  },
  deleteOnce: {
    enu: 'The archive was to be deleted, and only one of the two boxes is ticked. Tick both, or none. Nothing was changed.',
    chs: '删除影像库需要勾选两个选项，目前只勾选了一个。请两个都勾选或都不勾选。未作任何更改。',
  },
  rootPasswordMissing: {
    enu: "To drop the catalogue's database, the password of MariaDB's user root is needed. Nothing was changed.",
    chs: '删除目录数据库需要 MariaDB root 用户的密码。未作任何更改。',
  },
  archiveNotDeleted: {
    enu: 'The archive could not be deleted: {}. The package stays. Please look at the permissions of the shared folder.',
    chs: '无法删除影像库：{}。套件保留。请检查共享文件夹的权限。',
  },
  installed: {
    enu: 'AngioVault is installed. Enter this at the imaging consoles: AE title {}, port {}, and the IP address of this NAS. Then open AngioVault in the main menu.',
    chs: 'AngioVault 已安装。请在影像设备上填写：AE Title {}，端口 {}，以及此 NAS 的 IP 地址。然后在主菜单中打开 AngioVault。',
  },
  cannotStart: {
    enu: 'AngioVault cannot start. {}\n\n{}',
    chs: 'AngioVault 无法启动。{}\n\n{}',
  },
  hintCatalog: {
    enu: 'Its database cannot be used: is the package MariaDB 10 running?',
    chs: '无法使用其数据库：MariaDB 10 套件是否正在运行？',
  },
  hintArchive: {
    enu: 'Its shared folder cannot be used: is it there, is the volume mounted, and may the user angiovault write to it?',
    chs: '无法使用其共享文件夹：文件夹是否存在、存储空间是否已装载、用户 angiovault 是否有写入权限？',
  },
  hintPort: {
    enu: 'Another program uses its port. Stop that program, or choose another port in config.json.',
    chs: '其端口被其他程序占用。请停止该程序，或在 config.json 中更改端口。',
  },
  hintSettings: {
    enu: 'A setting is wrong; the last words say which.',
    chs: '有一项设置错误，详见下方信息。',
  },
  hintBroken: {
    enu: 'Parts of the package are missing. Please repair it in Package Center; archive and settings stay.',
    chs: '套件文件不完整。请在套件中心修复，影像库和设置都会保留。',
  },
  hintLog: {
    enu: 'The log says more: {}.',
    chs: '详情请查看日志：{}。',
  },
} as const satisfies Record<string, Words>;

export type WordsKey = keyof typeof WORDS;

export function words(language: Language, key: WordsKey, ...values: readonly string[]): string {
  let next = 0;
  return WORDS[key][language].replaceAll('{}', () => values[next++] ?? '');
}
