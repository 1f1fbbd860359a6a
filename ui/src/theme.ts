// Light and dark for the parts that antd draws; style/base.css has the same colours for ours.
import { type ThemeConfig, theme } from 'antd';

const SHARED = {
  motion: !window.matchMedia('(prefers-reduced-motion: reduce)').matches,
  borderRadius: 8,
  fontSize: 14,
  fontFamily: 'var(--font)',
  fontFamilyCode: 'var(--mono)',
  // What antd makes of the dark signal colours of light pages is brown.
  colorSuccessBg: 'var(--ok-soft)',
  colorWarningBg: 'var(--warn-soft)',
  colorErrorBg: 'var(--bad-soft)',
  motionDurationMid: '0.12s',
  motionDurationSlow: '0.16s',
};

const LIGHT: ThemeConfig = {
  algorithm: theme.defaultAlgorithm,
  token: {
    ...SHARED,
    colorPrimary: '#0b6b82',
    colorInfo: '#0b6b82',
    colorLink: '#0b6b82',
    colorSuccess: '#1f7a4d',
    colorWarning: '#8a5a00',
    colorError: '#b3261e',
    colorText: '#1b2a31',
    colorTextSecondary: '#4c5d66',
    colorTextTertiary: '#5c6b73',
    colorTextDescription: '#4c5d66',
    colorTextPlaceholder: '#66757d',
    colorBorder: '#c3ced3',
  },
};

const DARK: ThemeConfig = {
  algorithm: theme.darkAlgorithm,
  token: {
    ...SHARED,
    colorPrimary: '#14809a',
    colorInfo: '#14809a',
    colorLink: '#63c4d9',
    colorSuccess: '#6fce9a',
    colorWarning: '#f0c060',
    colorError: '#ff8a82',
    colorBgBase: '#10171a',
    colorBgContainer: '#182226',
    colorBgElevated: '#1f2b30',
    colorText: '#e6edf0',
    colorTextSecondary: '#a9b8bf',
    colorTextTertiary: '#9dadb4',
    colorTextDescription: '#a9b8bf',
    colorTextPlaceholder: '#91a2aa',
    colorBorder: '#3a4a51',
  },
  // The light red of dark pages wants dark words on it.
  components: { Button: { dangerColor: '#1b0d0c' } },
};

export const themeOf = (dark: boolean): ThemeConfig => (dark ? DARK : LIGHT);
