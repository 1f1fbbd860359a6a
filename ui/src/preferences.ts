// What this person likes on this screen: language, light or dark. Kept by the browser.
import { useSyncExternalStore } from 'react';

export const LANGUAGES = { en: 'English', 'zh-CN': '简体中文' } as const;
export type Language = keyof typeof LANGUAGES;
export type Appearance = 'auto' | 'light' | 'dark';
export const APPEARANCES: readonly Appearance[] = ['auto', 'light', 'dark'];

const APPEARANCE = 'angiovault.appearance';
const LANGUAGE = 'angiovault.language';

const listeners = new Set<() => void>();
const darkScreen = window.matchMedia('(prefers-color-scheme: dark)');

function subscribe(changed: () => void): () => void {
  listeners.add(changed);
  darkScreen.addEventListener('change', changed);
  return () => {
    listeners.delete(changed);
    darkScreen.removeEventListener('change', changed);
  };
}

function keep(key: string, value: string): void {
  localStorage.setItem(key, value);
  for (const changed of listeners) changed();
}

export const isLanguage = (text: string | null | undefined): text is Language =>
  text !== null && text !== undefined && text in LANGUAGES;

/** The language chosen here, or nothing when none was. */
export function chosenLanguage(): Language | undefined {
  const kept = localStorage.getItem(LANGUAGE);
  return isLanguage(kept) ? kept : undefined;
}

/** What the browser speaks, as far as we do. */
export const browserLanguage = (): Language =>
  navigator.languages.some((language) => language.toLowerCase().startsWith('zh')) ? 'zh-CN' : 'en';

export const keepLanguage = (language: Language): void => keep(LANGUAGE, language);

function appearance(): Appearance {
  const kept = localStorage.getItem(APPEARANCE);
  return kept === 'light' || kept === 'dark' ? kept : 'auto';
}

export const keepAppearance = (value: Appearance): void => keep(APPEARANCE, value);
export const useAppearance = (): Appearance => useSyncExternalStore(subscribe, appearance);

export const useDark = (): boolean =>
  useSyncExternalStore(subscribe, () => {
    const kept = appearance();
    return kept === 'dark' || (kept === 'auto' && darkScreen.matches);
  });
