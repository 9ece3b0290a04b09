import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { type RequestListener, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { installProject } from '../../src/python/install.ts';
import { detectProject } from '../../src/python/project.ts';
import { provideUv } from '../../src/python/uv.ts';
import { realHost, withFixture } from './real.ts';

const LIMIT = 180_000;

describe('a lockfile that no longer fits is refused by', () => {
  test.each([
    ['uv', 'pyproject.toml', 'idna>=3.7"', 'idna>=3.7", "certifi"', 'uv lock'],
    ['pdm', 'pyproject.toml', 'idna>=3.7"', 'idna>=3.7", "certifi"', 'pdm lock'],
    ['poetry', 'pyproject.toml', 'idna = "^3.7"', 'idna = "^3.7"\ncertifi = "*"', 'poetry lock'],
    ['pipenv', 'Pipfile', 'idna = "*"', 'idna = "*"\ncertifi = "*"', 'pipenv lock'],
  ])(
    '%s, with the command that mends it',
    async (name, file, before, after, command) => {
      await withFixture(name, async ({ directory, install }) => {
        const text = await readFile(path.join(directory, file), 'utf8');
        expect(text).toContain(before);
        await writeFile(path.join(directory, file), text.replace(before, after));
        await expect(install()).rejects.toMatchObject({
          name: 'UserError',
          message: expect.stringContaining(`does not fit ${file}`),
          remedy: expect.stringContaining(`\`${command}\``),
        });
      });
    },
    LIMIT,
  );
});

describe('an index', () => {
  test.each([
    [401, 'does not know who is asking (401)'],
    [403, 'does not allow it (403)'],
  ])(
    'that answers %i is not asked again',
    async (status, message) => {
      await serving(
        (_, response) => void response.writeHead(status, { 'www-authenticate': 'Basic' }).end(),
        async (url) => {
          await withFixture(
            'pip',
            async ({ install, lines }) => {
              await expect(install()).rejects.toThrow(message);
              expect(lines.join('\n')).not.toContain('trying again');
            },
            { 'requirements.txt': `--index-url ${url}/simple\nlogicore-private==1.0\n` },
          );
        },
      );
    },
    LIMIT,
  );

  test(
    'that breaks in the middle of an answer is asked again, and the installation goes on where it can',
    async () => {
      let asked = 0;
      const wheel = wheelOf('logicore_flaky');
      const answer: RequestListener = (request, response) => {
        if (request.url?.endsWith('.whl') === true) return void response.end(wheel);
        asked += 1;
        if (asked <= 2) {
          response.writeHead(200, { 'content-type': 'text/html', 'content-length': '5000' });
          response.write('<html>');
          return void response.destroy();
        }
        return void response
          .writeHead(200, { 'content-type': 'text/html' })
          .end('<a href="/logicore_flaky-1.0-py3-none-any.whl">logicore_flaky-1.0-py3-none-any.whl</a>');
      };
      await serving(answer, async (url) => {
        await withFixture(
          'unittest',
          async ({ install, lines }) => {
            expect((await install()).seconds).toBeGreaterThan(0);
            expect(lines.filter((line) => line.includes('trying again')).length).toBeGreaterThan(0);
          },
          { 'requirements.txt': `--index-url ${url}/simple\nlogicore-flaky==1.0\n` },
          // uv's own attempts are left out, so that ours are seen.
          { UV_HTTP_RETRIES: '0', UV_NO_CACHE: '1' },
        );
      });
    },
    LIMIT,
  );
});

test(
  'a package that needs a library of the system names the packages that bring it',
  async () => {
    await withFixture(
      'unittest',
      async ({ install }) => {
        await expect(install()).rejects.toMatchObject({
          message: expect.stringContaining('mysqlclient has no wheel'),
          remedy: expect.stringContaining('default-libmysqlclient-dev'),
        });
      },
      { 'requirements.txt': 'mysqlclient==2.2.7\n' },
    );
  },
  LIMIT,
);

test(
  'versions that exclude each other are told as that',
  async () => {
    await withFixture(
      'unittest',
      async ({ install }) => {
        await expect(install()).rejects.toThrow('exclude each other');
      },
      { 'requirements.txt': 'idna<3\nidna>=3\n' },
    );
  },
  LIMIT,
);

/** Only root can make a file system that is full soon. */
const asRoot = process.getuid?.() === 0 ? describe : describe.skip;

asRoot('a full disk', () => {
  test(
    'is told as that',
    async () => {
      const folder = mkdtempSync(path.join(tmpdir(), 'full-'));
      try {
        execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', folder]);
        await writeFile(path.join(folder, 'requirements.txt'), 'django==5.2\n');
        await withFixture('unittest', async ({ uv, python, host }) => {
          const project = detectProject((file) => (file === 'requirements.txt' ? 'django==5.2' : undefined));
          const installing = installProject({ project, directory: folder, uv, python }, host);
          await expect(installing).rejects.toThrow('disk of the runner is full');
        });
      } finally {
        execFileSync('umount', [folder]);
        rmSync(folder, { recursive: true, force: true });
      }
    },
    LIMIT,
  );
});

describe('uv', () => {
  test(
    'is brought by pip, checked, and taken from the tool cache after that',
    async () => {
      const tools = mkdtempSync(path.join(tmpdir(), 'tools-'));
      try {
        const env = { RUNNER_TOOL_CACHE: tools, PATH: withoutUv() };
        const { host, lines } = realHost(env);
        const first = await provideUv(host);
        expect(first.from).toBe('the package index, checked by its SHA-256');
        expect(lines).toContain(`bringing uv ${first.version}`);
        expect(await provideUv(realHost(env).host)).toEqual({ ...first, from: "the runner's tool cache" });
      } finally {
        rmSync(tools, { recursive: true, force: true });
      }
    },
    LIMIT,
  );

  test(
    'that cannot be had says what to do',
    async () => {
      const tools = mkdtempSync(path.join(tmpdir(), 'tools-'));
      try {
        const unreachable = {
          UV_DEFAULT_INDEX: 'http://127.0.0.1:9/simple',
          PIP_FIND_LINKS: undefined,
          PIP_RETRIES: '0',
        };
        const { host } = realHost({ RUNNER_TOOL_CACHE: tools, PATH: withoutUv(), ...unreachable });
        await expect(provideUv(host)).rejects.toMatchObject({
          message: expect.stringContaining('cannot be had'),
          remedy: expect.stringContaining('setup-uv'),
        });
      } finally {
        rmSync(tools, { recursive: true, force: true });
      }
    },
    LIMIT,
  );
});

function withoutUv(): string {
  return (process.env['PATH'] ?? '')
    .split(path.delimiter)
    .filter((one) => !one.includes('/uv'))
    .join(path.delimiter);
}

async function serving(answer: RequestListener, use: (url: string) => Promise<void>): Promise<void> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  try {
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** The smallest wheel there is, made by Python's own library. */
function wheelOf(name: string): Buffer {
  const script = `
import io, sys, zipfile
out = io.BytesIO()
with zipfile.ZipFile(out, 'w') as z:
    z.writestr('${name}.py', '')
    z.writestr('${name}-1.0.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: ${name}\\nVersion: 1.0\\n')
    z.writestr('${name}-1.0.dist-info/WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    z.writestr('${name}-1.0.dist-info/RECORD', '')
sys.stdout.buffer.write(out.getvalue())`;
  return execFileSync('python3', ['-c', script]);
}
