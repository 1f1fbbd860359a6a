// The words: one file a language, and only the one that is read is loaded.
import type { Locale } from 'antd/es/locale';
import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';
import type { Language } from '../preferences.ts';

interface Words {
  readonly app: Record<string, unknown>;
  readonly antd: Locale;
}

const LOAD: Readonly<Record<Language, () => Promise<Words>>> = {
  en: async () => {
    const [app, antd] = await Promise.all([import('./en.json'), import('antd/es/locale/en_US')]);
    return { app: app.default, antd: antd.default };
  },
  'zh-CN': async () => {
    const [app, settings, antd] = await Promise.all([
      import('./zh-CN.json'),
      import('./settings-zh-CN.json'),
      import('antd/es/locale/zh_CN'),
    ]);
    return { app: { ...app.default, setting: settings.default }, antd: antd.default };
  },
};

/** Switches the app's words, and returns those of antd's own parts. */
export async function speak(language: Language): Promise<Locale> {
  const words = await LOAD[language]();
  if (!i18next.isInitialized) {
    await i18next.use(initReactI18next).init({
      lng: language,
      fallbackLng: false,
      keySeparator: '.',
      interpolation: { escapeValue: false },
      resources: {},
    });
  }
  i18next.addResourceBundle(language, 'translation', words.app, true, true);
  await i18next.changeLanguage(language);
  document.documentElement.lang = language;
  return words.antd;
}
