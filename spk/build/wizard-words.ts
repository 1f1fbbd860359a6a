// What the dialogs of Package Center say.

const enu = {
  databaseTitle: 'Database of the catalogue',
  rootWhy:
    'AngioVault keeps its catalogue in MariaDB 10. Enter the password of its user root; it is used once and not kept.',
  root: 'Password of MariaDB root',
  passwordWhy:
    'AngioVault gets a database user of its own, angiovault. Choose a password for it; nobody will have to type it again.',
  password: 'Password for angiovault',
  passwordRule:
    'At least 10 characters: a capital letter, a small letter, a digit, and one of ! # $ % ( ) * + , - . / : ; = ? @ [ ] ^ _ | ~',
  archiveTitle: 'Archive and network',
  shareWhy:
    'All images go into a folder of this shared folder. It is made if it is not there, on the volume of the package.',
  share: 'Shared folder',
  shareRule: '1 to 32 letters, digits, _ or -, beginning with a letter or digit',
  networkWhy: 'What you will enter at the imaging consoles, together with the IP address of this NAS.',
  aeTitle: 'AE title',
  aeTitleRule: '1 to 16 letters, digits, blanks, _ or -',
  port: 'DICOM port',
  portRule: 'A whole number from 1024 to 65535',
  upgradeTitle: 'Upgrade',
  upgradeWhy:
    'Settings, catalogue and archive stay as they are. Consoles cannot send for a minute or two: let running transfers end first.',
  shareInUse: 'Shared folder of the archive (leave it as it is)',
  leaveTitle: 'What should stay?',
  leaveWhy:
    'Nothing needs to be ticked. Archive, catalogue and settings then stay on this NAS, and an installation finds them again.',
  deleteSettings: 'Remove settings and logs',
  dropDatabase: 'Drop the database of the catalogue (it can be made anew from the archive)',
  rootToDrop: 'Only to drop the database:',
  deleteWhy:
    'The archive holds the original images. Once deleted they cannot be brought back by anybody. To delete them tick both boxes.',
  deleteArchive: 'Delete all images of the archive',
  deleteReally: 'Yes, I am sure: all images of all patients are to be deleted for ever',
};

export type WizardWords = typeof enu;

const chs: WizardWords = {
  databaseTitle: '目录数据库',
  rootWhy: 'AngioVault 的目录保存在 MariaDB 10 中。请输入其 root 用户的密码；仅使用一次，不会保存。',
  root: 'MariaDB root 密码',
  passwordWhy: 'AngioVault 将使用自己的数据库用户 angiovault。请为其设置密码，以后无需再次输入。',
  password: 'angiovault 的密码',
  passwordRule:
    '至少 10 个字符：须含大写字母、小写字母、数字，以及 ! # $ % ( ) * + , - . / : ; = ? @ [ ] ^ _ | ~ 之一',
  archiveTitle: '影像库与网络',
  shareWhy: '所有影像都保存在此共享文件夹内。若不存在，将在套件所在的存储空间上创建。',
  share: '共享文件夹',
  shareRule: '1 至 32 个字母、数字、_ 或 -，以字母或数字开头',
  networkWhy: '请在影像设备上填写以下内容，以及此 NAS 的 IP 地址。',
  aeTitle: 'AE Title',
  aeTitleRule: '1 至 16 个字母、数字、空格、_ 或 -',
  port: 'DICOM 端口',
  portRule: '1024 至 65535 之间的整数',
  upgradeTitle: '升级',
  upgradeWhy: '设置、目录和影像库都保持不变。升级的一两分钟内影像设备无法发送：请先等待正在进行的传输结束。',
  shareInUse: '影像库所在的共享文件夹（请勿更改）',
  leaveTitle: '保留哪些内容？',
  leaveWhy: '无需勾选任何选项。影像库、目录和设置将保留在此 NAS 上，再次安装后即可继续使用。',
  deleteSettings: '删除设置和日志',
  dropDatabase: '删除目录数据库（可由影像库重新生成）',
  rootToDrop: '仅在删除数据库时需要：',
  deleteWhy: '影像库保存着原始影像，一旦删除，任何人都无法恢复。如需删除，请同时勾选以下两项。',
  deleteArchive: '删除影像库中的全部影像',
  deleteReally: '是的，我确定：永久删除所有患者的全部影像',
};

export const WIZARD_WORDS = { enu, chs } as const;
