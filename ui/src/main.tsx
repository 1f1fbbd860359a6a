// Starts the app: its words first, then the page.
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { get, Problem } from './api/client.ts';
import { session } from './api/queries.ts';
import type { Session } from './api/types.ts';
import { App } from './app.tsx';
import { speak } from './i18n/language.ts';
import { browserLanguage, chosenLanguage, isLanguage, type Language } from './preferences.ts';
import './style/base.css';
import './style/shell.css';
import './style/parts.css';
import './style/studies.css';

const TRIES = 2;

/** Chosen here, or that of DSM, or that of the browser. */
function languageOf(known: Session | undefined): Language {
  const chosen = chosenLanguage();
  if (chosen !== undefined) return chosen;
  return isLanguage(known?.language) ? known.language : browserLanguage();
}

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5000,
      // Whether the browser believes in a network says nothing about a machine beside it.
      networkMode: 'always',
      // A refusal stays one; silence may be a moment only.
      retry: (failures, error) => !(error instanceof Problem) && failures < TRIES,
    },
    // Without a network a change fails and says so; it is not kept for later.
    mutations: { networkMode: 'always' },
  },
});

async function askSession(): Promise<Session | undefined> {
  try {
    const known = await get<Session>('/session');
    client.setQueryData(session.queryKey, known);
    return known;
  } catch {
    // The app says itself that the archive does not answer, and asks again.
    return undefined;
  }
}

async function start(): Promise<void> {
  // The words that are probably needed come while the session is asked for.
  const likely = languageOf(undefined);
  const [known, likelyWords] = await Promise.all([askSession(), speak(likely)]);
  const language = languageOf(known);
  const antdWords = language === likely ? likelyWords : await speak(language);
  const root = document.getElementById('app');
  if (root === null) throw new Error('index.html has no element #app');
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={client}>
        <App antdWords={antdWords} />
      </QueryClientProvider>
    </StrictMode>,
  );
}

void start();
