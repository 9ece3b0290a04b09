import { spawn } from 'node:child_process';
import { access, constants, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { install, mayInstall } from '../lab/debian.ts';
import { bringMissing } from '../lab/missing.ts';

/** What a visitor sees of a page. */
export interface Seen {
  /** The document once its scripts have run, as HTML. */
  readonly html: string;
  /** Its text, without marks. */
  readonly text: string;
}

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];
const TIMEOUT_MS = 60_000;
/** No word goes to anybody but the page's own host. */
const QUIET = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-extensions',
];

/** The path of Chromium, installed as a Debian package where that may be done. @throws Error that says what is missing */
export async function findChromium(): Promise<string> {
  const missing = async () =>
    (await onPath()) === undefined ? [{ what: 'Chromium, which opens the page', packages: ['chromium'] }] : [];
  await bringMissing([{ name: 'browser', missing }], mayInstall() ? (packages) => install(packages) : undefined);
  const found = await onPath();
  if (found === undefined) throw new Error('there is no Chromium');
  return found;
}

/**
 * Opens a page in a fresh Chromium, as a visitor who was never there.
 * @param screenshot file that gets a picture of it
 */
export async function openPage(chromium: string, url: string, screenshot?: string): Promise<Seen> {
  const profile = await mkdtemp(path.join(tmpdir(), 'visitor-'));
  try {
    const common = [...QUIET, `--user-data-dir=${profile}`, '--virtual-time-budget=10000', '--window-size=1100,720'];
    const html = await run(chromium, [...common, '--dump-dom', url], profile);
    if (screenshot !== undefined) await run(chromium, [...common, `--screenshot=${screenshot}`, url], profile);
    const text = html.replaceAll(/<(style|script)[^]*?<\/\1>/g, ' ').replaceAll(/<[^>]*>/g, ' ');
    return { html, text: text.replaceAll(/\s+/g, ' ').trim() };
  } finally {
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function run(program: string, args: readonly string[], home: string): Promise<string> {
  const env = { PATH: process.env['PATH'], HOME: home, XDG_CONFIG_HOME: home, XDG_CACHE_HOME: home };
  const child = spawn(program, args, { env, timeout: TIMEOUT_MS, stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, complaints] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${complaints.slice(-1000)}`);
  return out;
}

async function onPath(): Promise<string | undefined> {
  for (const folder of (process.env['PATH'] ?? '').split(path.delimiter)) {
    for (const name of NAMES) {
      const file = path.join(folder, name);
      const runs = await access(file, constants.X_OK).then(
        () => true,
        () => false,
      );
      if (runs) return file;
    }
  }
  return undefined;
}
