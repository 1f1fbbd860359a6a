// Where the user is: the part of the address behind `#`. Nothing of it reaches the server, so the same files
// work below any folder.
import { useSyncExternalStore } from 'react';

export interface Route {
  /** `studies` of `#/studies/1.2.3/proof` */
  readonly page: string;
  /** what follows, decoded */
  readonly rest: readonly string[];
}

const hash = () => window.location.hash;

function onHashChange(changed: () => void): () => void {
  window.addEventListener('hashchange', changed);
  return () => window.removeEventListener('hashchange', changed);
}

function routeOf(text: string): Route {
  const [page = '', ...rest] = text
    .replace(/^#\/?/, '')
    .split('/')
    .filter((part) => part !== '')
    .map(decodeURIComponent);
  return { page: page === '' ? 'overview' : page, rest };
}

export function useRoute(): Route {
  return routeOf(useSyncExternalStore(onHashChange, hash));
}

/** The link to a page. */
export const linkTo = (...parts: readonly string[]): string => `#/${parts.map(encodeURIComponent).join('/')}`;

export function goTo(...parts: readonly string[]): void {
  window.location.hash = linkTo(...parts);
}
