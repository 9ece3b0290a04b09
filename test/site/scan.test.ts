import { appendFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { bodyOf } from '../../src/site/body.ts';
import { contentOf, scanSite } from '../../src/site/scan.ts';
import { QUICK, withFiles } from './folder.ts';

const plain = { compress: 'none', immutable: [] } as const;
const page = { 'index.html': '<p>' };

describe('a scan', () => {
  test('takes every file by its path, with blanks, umlauts and hidden folders, and leaves litter', async () => {
    const files = {
      ...page,
      'Maße 1/ä+b (2).json': '{}',
      '.well-known/a.txt': 'a',
      '.DS_Store': 'x',
      '.git/config': 'x',
    };
    const scanned = await withFiles(files, async (folder) => scanSite(folder, plain));
    expect(scanned.map((file) => file.path)).toEqual(['.well-known/a.txt', 'Maße 1/ä+b (2).json', 'index.html']);
  });

  test('follows links inside the site', async () => {
    await withFiles({ ...page, 'de/a.txt': 'a' }, async (folder) => {
      symlinkSync('de', path.join(folder, 'at'));
      symlinkSync('../index.html', path.join(folder, 'de', 'home.html'));
      const paths = (await scanSite(folder, plain)).map((file) => file.path);
      expect(paths).toEqual(['at/a.txt', 'at/home.html', 'de/a.txt', 'de/home.html', 'index.html']);
    });
  });

  test('refuses links that lead out, nowhere or in a circle, all at once', async () => {
    await withFiles({ ...page, 'a/x.txt': '', 'b/y.txt': '' }, async (folder) => {
      symlinkSync('/etc/hostname', path.join(folder, 'out.txt'));
      symlinkSync('/etc', path.join(folder, 'etc'));
      symlinkSync('nowhere', path.join(folder, 'dead'));
      symlinkSync('.', path.join(folder, 'self'));
      symlinkSync('../b', path.join(folder, 'a', 'to-b'));
      symlinkSync('../a', path.join(folder, 'b', 'to-a'));
      const refused = await scanSite(folder, plain).catch((error: unknown) => String(error));
      for (const name of ['out.txt', 'etc', 'dead', 'self', 'a/to-b/to-a', 'b/to-a/to-b']) {
        expect(refused).toMatch(new RegExp(`^- ${name} is a link that leads (out|nowhere|in a circle)`, 'm'));
      }
    });
  });

  test.each([
    ['.env', '".env" would be public'],
    ['static/.env.production', 'would be public'],
    ['.releases/x.json', 'stands where releases are kept'],
    ['shop/.releases/current.json', 'stands where releases are kept'],
    ['a\nb.txt', 'has a sign that no address can have'],
    ['a\\b.txt', 'has a sign that no address can have'],
    [`${'ä'.repeat(120)}/${'ä'.repeat(120)}/${'ä'.repeat(120)}/${'ä'.repeat(120)}`, 'is too long for S3'],
  ])('refuses the name %j', async (name, said) => {
    await expect(withFiles({ ...page, [name]: '' }, async (folder) => scanSite(folder, plain))).rejects.toThrow(said);
  });

  test('ends in a maze of links that holds no file', async () => {
    await withFiles(page, async (folder) => {
      for (let i = 1; i <= 40; i += 1) {
        mkdirSync(path.join(folder, `${i}`));
        for (const name of ['a', 'b']) symlinkSync(`../${i + 1}`, path.join(folder, `${i}`, name));
      }
      mkdirSync(path.join(folder, '41'));
      await expect(scanSite(folder, plain)).rejects.toThrow('leads through more than 1000 links');
    });
  });

  test('gives one hash for equal contents and another for a moved one', async () => {
    const hash = async (files: Readonly<Record<string, string>>) =>
      contentOf(await withFiles(files, async (folder) => scanSite(folder, plain)));
    expect(await hash({ a: '1', b: '2' })).toBe(await hash({ b: '2', a: '1' }));
    expect(await hash({ a: '1', b: '2' })).not.toBe(await hash({ a: '2', b: '1' }));
  });
});

describe('a file that changes after it was read', () => {
  test.each([
    ['small', 10],
    ['large', 3 * 1024 * 1024],
  ])('is never sent whole: %s', async (_, size) => {
    await withFiles({ ...page, 'a.bin': Buffer.alloc(size) }, async (folder) => {
      const file = (await scanSite(folder, plain)).find((one) => one.path === 'a.bin');
      if (!file) throw new Error('no a.bin');
      const sent = async (): Promise<number> => {
        let bytes = 0;
        const { body } = await bodyOf(file);
        if (Buffer.isBuffer(body)) return body.length;
        for await (const chunk of body.open()) bytes += chunk.length;
        return bytes;
      };
      expect(await sent()).toBe(size);
      writeFileSync(path.join(folder, 'a.bin'), Buffer.alloc(size, 1));
      await expect(sent()).rejects.toThrow('a.bin changed while it was uploaded');
      writeFileSync(path.join(folder, 'a.bin'), Buffer.alloc(size));
      appendFileSync(path.join(folder, 'a.bin'), 'x');
      await expect(sent()).rejects.toThrow('a.bin changed while it was uploaded');
      rmSync(path.join(folder, 'a.bin'));
      await expect(sent()).rejects.toThrow('a.bin changed while it was uploaded');
    });
  });
});

test('packed is only what gets smaller by it', async () => {
  const noise = Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919 * (i + 13)) % 251));
  await withFiles(
    { 'a.js': 'x'.repeat(5000), 'noise.wasm': noise, 'a.png': 'x'.repeat(5000), 'tiny.js': 'x' },
    async (folder) => {
      for (const [compress, name] of [
        ['gzip', 'gzip'],
        ['brotli', 'br'],
      ] as const) {
        const files = await scanSite(folder, { compress, immutable: [] });
        const encodings = await Promise.all(
          files.map(async (file) => [file.path, (await bodyOf(file)).contentEncoding]),
        );
        expect(Object.fromEntries(encodings)).toMatchObject({ 'a.js': name, 'a.png': '', 'tiny.js': '' });
      }
    },
  );
});

test('50,000 files are read one and all', async () => {
  const files = Array.from({ length: 50_000 }, (_, i) => [`docs-${i % 250}/page-${i}.html`, String(i)] as const);
  const scan = async (folder: string) => scanSite(folder, plain);
  const scanned = await withFiles(Object.fromEntries(files), scan, QUICK);
  expect(scanned).toHaveLength(50_000);
  expect(new Set(scanned.map(({ id }) => id)).size).toBe(50_000);
}, 120_000);
