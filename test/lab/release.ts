import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, lstat, open } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { itemsAt, textAt } from '../../src/kube/fields.ts';

const run = promisify(execFile);

/** One program as its project releases it for this machine. */
export interface Release {
  /** Its official address; {@link ReleaseOptions.env} can put a mirror before it. */
  readonly url: string;
  /** The program's path inside, where the release is an archive (.tar.gz). */
  readonly member?: string;
  /**
   * Where the project publishes the SHA-256 of `url`: a file of one sum or of `sum name` lines, or GitHub's
   * description of the release. It comes from the same place as the program, so it guards the transfer, not the
   * origin; {@link pinned} sums guard both.
   */
  readonly checksums: string;
}

export interface ReleaseOptions {
  /** LAB_DOWNLOADS is the base URL of a mirror: `<mirror>/dl.k8s.io/…` stands for `https://dl.k8s.io/…`. */
  readonly env: NodeJS.ProcessEnv;
  /** Milliseconds until a server that sends nothing is given up. */
  readonly patienceMs?: number;
}

/** The release can't be had now: no connection, an error status, or a transfer that broke off. */
export class ReleaseUnavailable extends Error {}

/** SHA-256 by official address, as known from a second place: here the checksums that Kubespray keeps in its tree. */
const pinned: Readonly<Record<string, string>> = {
  'https://dl.k8s.io/release/v1.36.3/bin/linux/amd64/kubelet':
    '46707a53209f826ad0f0d62371ac69cd00e78fd9a8176cf5f6f87f18f7f8b718',
  'https://dl.k8s.io/release/v1.36.3/bin/linux/arm64/kubelet':
    '57205a5daf5883873d87b4914e1e00bdd7707acd075714788cfb0fc1f60bc414',
};

/** Hosts that did not answer; a process asks each only once, as every further try would cost seconds again. */
const unreachable = new Map<string, string>();

/** A release of a large program has 170 MB. */
const LARGEST = 500_000_000;

/** Whether the host of the release has already been given up by this process. */
export function isGivenUp(release: Release, { env }: ReleaseOptions): boolean {
  const address = addressOf(release.url, env);
  return URL.canParse(address) && unreachable.has(new URL(address).host);
}

/** Whether the place that the release comes from answers at all. */
export async function isReachable(release: Release, options: ReleaseOptions): Promise<boolean> {
  return request(release.url, options, 'HEAD', async () => true).catch(() => false);
}

/**
 * Downloads a program into the folder, checks its SHA-256 and unpacks it.
 * @returns the path of the program
 * @throws ReleaseUnavailable where it can't be had
 * @throws Error where its checksum is not the expected one; what came is to be thrown away with the folder
 */
export async function download(release: Release, folder: string, options: ReleaseOptions): Promise<string> {
  const file = join(folder, basename(release.url));
  const expected = pinned[release.url] ?? (await published(release, options));
  const actual = await request(release.url, options, 'GET', async (body) => save(body, file));
  if (actual !== expected) {
    throw new Error(
      `${addressOf(release.url, options.env)} has the SHA-256 ${actual}, but ${expected} is expected: it was changed ` +
        'on its way or in its place and is not used. Look at where it comes from, then try again',
    );
  }
  const program = release.member === undefined ? file : join(folder, release.member);
  if (release.member !== undefined) await unpack(file, folder, release.member);
  if (!(await lstat(program)).isFile()) throw new Error(`${release.member} in ${release.url} is no file`);
  await chmod(program, 0o755);
  return program;
}

async function unpack(archive: string, folder: string, member: string): Promise<void> {
  await run('tar', ['--extract', '--gzip', '--no-same-owner', `--file=${archive}`, `--directory=${folder}`, member]);
}

async function published(release: Release, options: ReleaseOptions): Promise<string> {
  const text = await request(release.checksums, options, 'GET', async (body) => {
    let text = '';
    for await (const chunk of body) {
      text += Buffer.from(chunk).toString('latin1');
      if (text.length > 5_000_000) throw new Error('the checksums are too long');
    }
    return text;
  });
  const sum = sumIn(text, basename(release.url));
  if (sum === undefined) {
    throw new ReleaseUnavailable(`${release.checksums} has no SHA-256 of ${basename(release.url)}`);
  }
  return sum;
}

/** The SHA-256 of a file in one of the forms that projects publish it in. */
function sumIn(text: string, file: string): string | undefined {
  if (text.startsWith('{')) {
    const asset = itemsAt(JSON.parse(text), 'assets').find((one) => textAt(one, 'name') === file);
    return /^sha256:([0-9a-f]{64})$/.exec(textAt(asset, 'digest'))?.[1];
  }
  const lines = text.trim().split('\n');
  // sha256sum(1) marks a file that it read as binary by an asterisk.
  const line = lines.length === 1 ? lines[0] : lines.find((line) => line.split(/\s+\*?/)[1]?.trim() === file);
  return /^[0-9a-f]{64}\b/.exec(line ?? '')?.[0];
}

async function save(body: AsyncIterable<Uint8Array>, path: string): Promise<string> {
  const hash = createHash('sha256');
  const file = await open(path, 'wx');
  try {
    let size = 0;
    for await (const chunk of body) {
      size += chunk.length;
      if (size > LARGEST) throw new Error(`it has more than ${LARGEST} bytes`);
      hash.update(chunk);
      await file.writeFile(chunk);
    }
  } finally {
    await file.close();
  }
  return hash.digest('hex');
}

/** Where an official address is really asked: on the mirror where there is one. */
export function addressOf(url: string, env: NodeJS.ProcessEnv): string {
  const mirror = env['LAB_DOWNLOADS'];
  return mirror ? `${mirror.replace(/\/+$/, '')}/${url.replace('https://', '')}` : url;
}

async function request<T>(
  official: string,
  { env, patienceMs = 5000 }: ReleaseOptions,
  method: 'GET' | 'HEAD',
  take: (body: AsyncIterable<Uint8Array>) => Promise<T>,
): Promise<T> {
  const url = addressOf(official, env);
  if (!URL.canParse(url))
    throw new Error(`LAB_DOWNLOADS=${env['LAB_DOWNLOADS']} is no URL such as https://mirror/path`);
  const { host } = new URL(url);
  const known = unreachable.get(host);
  if (known !== undefined) throw new ReleaseUnavailable(known);
  const patience = new AbortController();
  const giveUp = (ms: number) => setTimeout(() => patience.abort(new Error(`sent nothing for ${ms / 1000} s`)), ms);
  let timer = giveUp(patienceMs);
  let answered = false;
  try {
    const answer = await fetch(url, { method, signal: patience.signal });
    answered = true;
    if (url.startsWith('https:') && !answer.url.startsWith('https:')) throw new Error(`it leads to ${answer.url}`);
    if (!answer.ok) {
      await answer.body?.cancel();
      if (method === 'GET') throw new Error(`it answers ${answer.status}`);
    }
    return await take(
      watched(answer.body, () => {
        clearTimeout(timer);
        timer = giveUp(4 * patienceMs);
      }),
    );
  } catch (error) {
    const what = answered ? `can't be used for ${basename(official)}` : "can't be reached";
    const why = `${host} ${what}: ${reasonOf(error)}`;
    if (!answered) unreachable.set(host, why);
    throw new ReleaseUnavailable(why, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

async function* watched(body: Response['body'], onChunk: () => void): AsyncGenerator<Uint8Array> {
  onChunk();
  if (body === null) return;
  for await (const chunk of body) {
    onChunk();
    yield chunk as Uint8Array;
  }
}

/** What fetch hides behind «fetch failed». */
function reasonOf(error: unknown): string {
  const { message, cause } = error as { message?: string; cause?: { message?: string } };
  return cause?.message ?? message ?? String(error);
}
