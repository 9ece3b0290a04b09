import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const frame = path.resolve(import.meta.dirname, '../../src/action');
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'main-'));
  writeFileSync(path.join(folder, 'output'), '');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly log: string;
  readonly outputs: string;
  readonly took: number;
}

/** Runs an action whose `run` has this body as a process of its own; sends SIGINT once it logs `now`. */
function runAction(body: string, inputs: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const file = path.join(folder, 'action.mjs');
  writeFileSync(
    file,
    `import { main } from '${frame}/main.ts';
     import { Failed, UserError } from '${frame}/errors.ts';
     import { duration, secret, text } from '${frame}/fields.ts';
     const inputs = { name: text({ required: true }), wait: duration({ default: '1s' }), token: secret() };
     await main({ name: 'tiny', inputs, outputs: ['said'], async run(inputs, host) { ${body} } });`,
  );
  const env = Object.fromEntries(Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]));
  const started = Date.now();
  const child = spawn(process.execPath, ['--no-warnings', file], {
    env: { PATH: process.env['PATH'], GITHUB_OUTPUT: path.join(folder, 'output'), INPUT_NAME: 'x', ...env },
  });
  let log = '';
  let sent = false;
  child.stdout.on('data', (data: Buffer) => {
    log += data.toString();
    if (sent || !/^now$/m.test(log)) return;
    sent = true;
    child.kill('SIGINT');
  });
  child.stderr.on('data', (data: Buffer) => (log += data.toString()));
  return new Promise((resolve) => {
    child.once('close', (code) =>
      resolve({ code, log, outputs: readFileSync(path.join(folder, 'output'), 'utf8'), took: Date.now() - started }),
    );
  });
}

describe('main', () => {
  test('hands over inputs and sets outputs, line breaks and all', async () => {
    const { code, outputs } = await runAction('return { said: `${inputs.name}\\n${inputs.wait}` };', {
      name: '$(id) ${{ x }}',
    });
    expect(code).toBe(0);
    expect(outputs).toMatch(/^said<<(\S+)\n\$\(id\) \$\{\{ x \}\}\n1000\n\1\n$/);
  });

  test('an output that the action leaves out stays empty, whatever a program wrote in its place', async () => {
    const { outputs } = await runAction(
      `const { appendFileSync } = await import('node:fs');
       appendFileSync(process.env['GITHUB_OUTPUT'], 'said=forged\\n');
       return {};`,
    );
    expect(outputs).toMatch(/^said=forged\nsaid<<(\S+)\n\n\1\n$/);
  });

  test('runs nothing when an input is wrong, and names them all', async () => {
    const { code, log } = await runAction('host.log.info("ran");', { name: 'a\nb', wait: 'soon' });
    expect(code).toBe(1);
    expect(log).toMatch(/^::error::.*input name/m);
    expect(log).toMatch(/^::error::.*input wait/m);
    expect(log).not.toContain('ran');
  });

  test('masks a secret before the action sees it', async () => {
    const { log } = await runAction('host.log.info("ran");', { token: 'hunter-two' });
    expect(log.indexOf('::add-mask::hunter-two')).toBeGreaterThanOrEqual(0);
    expect(log.indexOf('::add-mask::hunter-two')).toBeLessThan(log.indexOf('ran'));
  });

  test('a fault of the user has a remedy and no stack; outputs of a failure still count', async () => {
    const { code, log, outputs } = await runAction(
      'throw new Failed("no", { said: "failed" }, { remedy: "do this" });',
    );
    expect({ code, log }).toEqual({ code: 1, log: '::error::no → do this\n' });
    expect(outputs).toContain('failed');
  });

  test('any other fault shows its stack to debug logs alone', async () => {
    const { code, log } = await runAction('null.x;');
    expect(code).toBe(1);
    const stacks = log.split('\n').filter((line) => line.includes('action.mjs'));
    expect(stacks.every((line) => line.startsWith('::debug::'))).toBe(true);
    expect(log).toMatch(/^::error::unexpected: /m);
  });

  test('a cancelled run ends at once, with the program that it runs', async () => {
    const script = 'setInterval(() => {}, 1000); console.log(process.pid)';
    const { code, log, took } = await runAction(
      `await host.exec.run(process.execPath, ['-e', ${JSON.stringify(script)}], {
         onLine: (pid) => { host.log.info('child ' + pid); host.log.info('now'); } });`,
    );
    expect(code).toBe(1);
    expect(log).toMatch(/cancelled by SIGINT/);
    expect(took).toBeLessThan(5000);
    const pid = Number(/child (\d+)/.exec(log)?.[1]);
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });
});
