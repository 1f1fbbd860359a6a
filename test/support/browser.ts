// Debian's Chromium, driven by Playwright, and pages that watch themselves: no error in the console, no request to
// another host, no word without a translation.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium, type Locator, type Page } from 'playwright-core';

const CHROMIUM = '/usr/bin/chromium';
const WORDS = join(import.meta.dirname, '../../ui/src/i18n');
const AXE = readFileSync(join(import.meta.dirname, '../../node_modules/axe-core/axe.min.js'), 'utf8');

export const LANGUAGES = ['en', 'zh-CN'] as const;
export type AppLanguage = (typeof LANGUAGES)[number];

export const SIZES = {
  dsm: { width: 880, height: 560 },
  wide: { width: 1280, height: 800 },
  phone: { width: 390, height: 844 },
} as const;

/** Begins the browser. Chromium's own sandbox needs rights that a container does not give. */
export function startBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}

interface Group {
  readonly [key: string]: string | Group;
}
const wordsBy = new Map<AppLanguage, Group>(
  LANGUAGES.map((language) => [
    language,
    JSON.parse(readFileSync(join(WORDS, `${language}.json`), 'utf8')) as Group,
  ]),
);

/** The app's own words, for finding things on a page as a reader does. */
export function wordsOf(language: AppLanguage): (key: string, values?: Record<string, string>) => string {
  return (key, values = {}) => {
    const text = key
      .split('.')
      .reduce<string | Group | undefined>(
        (group, part) => (typeof group === 'object' ? group[part] : undefined),
        wordsBy.get(language),
      );
    if (typeof text !== 'string') throw new Error(`The app has no words for ${key}`);
    return text.replace(/\{\{(\w+)[^}]*\}\}/g, (_, name: string) => values[name] ?? '');
  };
}

const groups = Object.keys(wordsBy.get('en') ?? {}).join('|');
const KEY = new RegExp(String.raw`\b(?:${groups})\.[a-z][A-Za-z-]+(?:\.[\w-]+)*\b`, 'g');

/** The words of a part of a page. */
export async function textOf(part: Locator): Promise<string> {
  return (await part.textContent()) ?? '';
}

interface AxeResult {
  readonly violations: readonly {
    readonly id: string;
    readonly impact: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
  }[];
}

/** Nothing here measures speed: as long as the slowest machine under load may take. */
const WAIT_MS = 30_000;

/** What the pages of the running test showed when they were closed. */
const seenLast: string[] = [];

/** After each test: when it failed, what its pages showed is printed. */
export function tellWhatPagesShowed(context: object): void {
  const pages = seenLast.splice(0);
  const { name, passed } = context as { name: string; passed: boolean };
  if (!passed) process.stdout.write(`${name}: ${pages.join('\n')}\n`);
}

/** A page of the app on its way through a test. */
export class AppPage implements AsyncDisposable {
  readonly page: Page;
  readonly say: ReturnType<typeof wordsOf>;
  readonly #url: string;
  readonly #leave: (page: AppPage) => Promise<void>;
  readonly #faults: string[] = [];
  readonly #lost: string[] = [];

  constructor(page: Page, url: string, language: AppLanguage, leave: (page: AppPage) => Promise<void>) {
    this.page = page;
    this.#url = url;
    this.#leave = leave;
    this.say = wordsOf(language);
    page.setDefaultTimeout(WAIT_MS);
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') this.#faults.push(message.text());
    });
    page.on('pageerror', (error) => this.#faults.push(error.message));
    page.on('requestfailed', (request) =>
      this.#lost.push(`${request.failure()?.errorText}: ${request.method()} ${request.url()}`),
    );
    page.on('request', (request) => {
      const { origin, protocol } = new URL(request.url());
      if (protocol.startsWith('http') && origin !== url) this.#faults.push(`asked ${request.url()}`);
    });
  }

  /** Opens `#/<path>` and waits for its title. */
  async open(path = ''): Promise<void> {
    await this.goTo(path);
    await this.settled();
  }

  /** Goes to `#/<path>`, whatever comes of it. */
  async goTo(path: string): Promise<void> {
    await this.page.goto(`${this.#url}/#/${path}`);
  }

  /** Until nothing is on its way any more that a person would wait for. */
  async settled(): Promise<void> {
    await this.page.locator('h1').first().waitFor();
    await this.page.locator('main:not(:has(.loading))').waitFor();
  }

  button(key: string, values?: Record<string, string>) {
    return this.page.getByRole('button', { name: this.say(key, values), exact: true });
  }

  text(key: string, values?: Record<string, string>) {
    return this.page.getByText(this.say(key, values));
  }

  /** What a page owes at any moment. `expected` takes out faults that the test itself caused. */
  async assertSound(expected?: RegExp): Promise<void> {
    const text = await this.page.evaluate<string>('document.body.innerText');
    assert.deepEqual(text.match(KEY) ?? [], [], 'words without a translation');
    const sideways = await this.page.evaluate(
      'document.documentElement.scrollWidth - document.documentElement.clientWidth',
    );
    assert.equal(sideways, 0, 'the page is wider than its window');
    assert.deepEqual(
      this.#faults.filter((fault) => !expected?.test(fault)),
      [],
    );
  }

  /** Findings of axe-core that are serious or worse, as `rule: element`. */
  async accessibilityFaults(): Promise<string[]> {
    // Run as the page's own debugger would: its Content-Security-Policy has no place for foreign scripts.
    await this.page.evaluate(AXE);
    // Only what is wrong is described, and only what the page itself brought is looked at: half the time.
    const { violations } = await this.page.evaluate<AxeResult>(
      "axe.run({ resultTypes: ['violations'], preload: false })",
    );
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) =>
        nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
      );
  }

  /** What there is to see, for whoever has to find out why a test failed. */
  async seen(): Promise<string> {
    const text = await this.page
      .evaluate<string>('document.body.innerText')
      .catch((error: Error) => `(${error.message})`);
    return [
      `${this.page.url()} shows:`,
      text.trim() || '(nothing)',
      ...this.#faults.map((fault) => `fault: ${fault}`),
      ...this.#lost.map((request) => `lost: ${request}`),
    ].join('\n  ');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    seenLast.push(await this.seen());
    await this.#leave(this);
  }

  /** As for somebody who was never here, but for the files that the browser keeps of the app. */
  async forget(): Promise<void> {
    const context = this.page.context();
    await this.page.evaluate('localStorage.clear()');
    await context.clearCookies();
    await this.page.unrouteAll();
    await this.page.emulateMedia({ media: null });
    await context.setOffline(false);
    await this.page.goto('about:blank');
    this.#faults.length = 0;
    this.#lost.length = 0;
  }
}

export interface AppPageOptions {
  readonly language?: AppLanguage;
  readonly size?: keyof typeof SIZES;
  readonly dark?: boolean;
}

/** A fresh visitor: nothing kept from anybody before. `leave` is what becomes of the page at its end. */
export async function openApp(
  browser: Browser,
  url: string,
  { language = 'en', size = 'wide', dark = false }: AppPageOptions = {},
  leave = (app: AppPage) => app.page.context().close(),
): Promise<AppPage> {
  const context = await browser.newContext({
    viewport: SIZES[size],
    locale: language,
    colorScheme: dark ? 'dark' : 'light',
    reducedMotion: 'reduce',
    acceptDownloads: true,
  });
  return new AppPage(await context.newPage(), url, language, leave);
}

/** Pages of one daemon that are used again. A new one takes the browser three times as long. */
export class AppPages {
  readonly #idle = new Map<string, AppPage[]>();

  async open(browser: Browser, url: string, options: AppPageOptions = {}): Promise<AppPage> {
    const { language, size, dark } = options;
    const key = [language, size, dark].join();
    const idle = this.#idle.get(key) ?? [];
    this.#idle.set(key, idle);
    const leave = async (app: AppPage) => {
      await app.forget();
      idle.push(app);
    };
    return idle.pop() ?? (await openApp(browser, url, options, leave));
  }
}
