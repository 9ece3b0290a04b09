import { type ChildProcess, spawn } from 'node:child_process';

/**
 * Runs in a process of its own: waits until the other end of its standard input closes, however its owner ended, then
 * ends the server that `pid` names, waits for it and removes the folder.
 */
const GUARD = `
const { rmSync } = require('node:fs');
let pid = 0;
process.stdin.on('data', (data) => { pid = Number(data); });
process.stdin.on('close', () => {
  const alive = (signal) => { try { process.kill(pid, signal); return true; } catch { return false; } };
  let tries = 0;
  const clean = () => {
    if (pid > 1 && alive(tries++ > 50 ? 'SIGKILL' : 0) && tries < 100) return setTimeout(clean, 100);
    rmSync(process.argv[1], { recursive: true, force: true, maxRetries: 5 });
  };
  if (pid > 1) alive('SIGQUIT');
  clean();
});
`;

/** Sees to it that a server and its folder go when this process ends, even when it is killed. */
export interface ServerGuard {
  /** Which process to end. */
  watch(pid: number): void;
  /** Nothing is left to guard. */
  release(): void;
}

/** Guards `folder` from now on. */
export function guardServer(folder: string): ServerGuard {
  const child: ChildProcess = spawn(process.execPath, ['-e', GUARD, folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    cwd: '/',
    env: {},
  });
  child.on('error', () => {}); // then nothing guards: a runner ends what a job left behind
  child.stdin?.on('error', () => {});
  child.unref();
  if (child.stdin !== null && 'unref' in child.stdin && typeof child.stdin.unref === 'function') child.stdin.unref();
  return {
    watch: (pid) => void child.stdin?.write(String(pid)),
    release: () => void child.kill('SIGKILL'),
  };
}
