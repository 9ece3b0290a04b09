import { describe, expect, test } from '@jest/globals';
import { Cancelled, UserError } from '../../src/action/errors.ts';
import { localExec } from '../../src/action/exec.ts';

const node = process.execPath;
const never = new AbortController().signal;

describe('localExec', () => {
  test('hands arguments over untouched: no shell reads them', async () => {
    const hostile = ['$(id)', '; rm -rf /', '`id`', 'a b', '"q"', "it's", '*'];
    const { stdout } = await localExec(process.env, never).run(node, [
      '-e',
      'console.log(JSON.stringify(process.argv.slice(1)))',
      ...hostile,
    ]);
    expect(JSON.parse(stdout)).toEqual(hostile);
    const asked = await localExec(process.env, never).ask(node, [
      '-p',
      'JSON.stringify(process.argv.slice(1))',
      ...hostile,
    ]);
    expect(JSON.parse(asked.stdout)).toEqual(hostile);
  });

  test('streams lines, gives the exit code and passes input', async () => {
    const seen: string[] = [];
    const script =
      'process.stdin.on("data", (d) => { console.log(`got ${d}`); console.error("err"); process.exitCode = 3; })';
    const result = await localExec(process.env, never).run(node, ['-e', script], {
      input: 'hello',
      onLine: (line, stream) => void seen.push(`${stream} ${line}`),
    });
    expect(result.exitCode).toBe(3);
    expect(seen.toSorted()).toEqual(['stderr err', 'stdout got hello']);
  });

  test('takes variables away', async () => {
    const env = { ...process.env, SECRET_X: 'yes' };
    const { stdout } = await localExec(env, never).run(node, ['-p', 'String(process.env.SECRET_X)'], {
      env: { SECRET_X: undefined },
    });
    expect(stdout.trim()).toBe('undefined');
  });

  test('inputs and the right to identity tokens stay with the action', async () => {
    const env = {
      ...process.env,
      'INPUT_REGISTRY-PASSWORD': 's3cret',
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 's3cret',
      ACTIONS_RUNTIME_TOKEN: 's3cret',
    };
    for (const call of ['run', 'ask'] as const) {
      const { stdout } = await localExec(env, never)[call](node, ['-p', 'JSON.stringify(process.env)']);
      expect(stdout).toContain('PATH');
      expect(stdout).not.toContain('s3cret');
    }
  });

  test('neither outputs of the step nor the environment of later steps are in the hands of programs', async () => {
    const names = ['GITHUB_OUTPUT', 'GITHUB_STATE', 'GITHUB_ENV', 'GITHUB_PATH'];
    const env = { ...process.env, ...Object.fromEntries(names.map((name) => [name, '/file'])), GITHUB_SHA: 'abc' };
    const { stdout } = await localExec(env, never).run(node, ['-p', 'Object.keys(process.env).join()']);
    expect(stdout).toContain('GITHUB_SHA');
    for (const name of names) expect(stdout).not.toContain(name);
  });

  test('cancelling ends the program with its children', async () => {
    const cancel = new AbortController();
    const script = `const c = require('node:child_process').spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)']); console.log(c.pid); setTimeout(() => {}, 60000);`;
    let child = 0;
    const running = localExec(process.env, cancel.signal).run(node, ['-e', script], {
      onLine: (line) => {
        child = Number(line);
        cancel.abort(new Cancelled('SIGINT'));
      },
    });
    await expect(running).rejects.toBeInstanceOf(Cancelled);
    expect(child).toBeGreaterThan(0);
    const gone = await waitUntil(() => !alive(child));
    expect(gone).toBe(true);
  });

  test('a program that leaves another behind with its output open ends nevertheless', async () => {
    const script = `const options = { stdio: ['ignore', 'inherit', 'inherit'], detached: true };
      const left = require('node:child_process').spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)'], options);
      left.unref();
      console.log(left.pid);
      process.exit(3);`;
    const { exitCode, stdout } = await localExec(process.env, never).run(node, ['-e', script]);
    process.kill(Number(stdout));
    expect(exitCode).toBe(3);
  }, 20_000);

  test('a program that is not there is an error with a remedy', async () => {
    await expect(localExec(process.env, never).run('no-such-program', [])).rejects.toMatchObject({
      remedy: expect.stringContaining('install no-such-program'),
    });
    await expect(localExec(process.env, never).ask('no-such-program', [])).rejects.toBeInstanceOf(UserError);
  });
});

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function waitUntil(condition: () => boolean): Promise<boolean> {
  for (let i = 0; i < 100 && !condition(); i += 1) await new Promise((resolve) => setTimeout(resolve, 50));
  return condition();
}
