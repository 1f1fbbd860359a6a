// What may be entered in the wizards; the dialogs and the scripts behind them keep the same rules.

/** Policy of Synology's MariaDB; the characters are those that mean nothing to JSON, SQL or DSM's own templates. */
export const PASSWORD =
  /^(?=.*[A-Z])(?=.*[a-z])(?=.*[0-9])(?=.*[^A-Za-z0-9])[A-Za-z0-9_!#$%()*+,./:;=?@[\]^|~-]{10,128}$/;
export const SHARE = /^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/;
/** Narrower than PS3.5 §6.2: what vendors' consoles can be told. */
export const AE_TITLE = /^[A-Za-z0-9_-][A-Za-z0-9 _-]{0,15}$/;
/** Below 1024 only root may listen. */
export const PORT =
  /^(?:102[4-9]|10[3-9][0-9]|1[1-9][0-9]{2}|[2-9][0-9]{3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])$/;
