import path from 'node:path';
import { readPackageJson } from '../node/manifest.ts';
import type { ManagerName } from '../node/package-manager.ts';
import { withRecorder } from '../node/test-runner.ts';
import { readerOf } from '../project/project.ts';
import type { Task } from '../task/task.ts';

/** The tasks, of which those that hold tests record what these do; each script is read in the folder that it runs in. */
export function recordTasks(tasks: readonly Task[], manager: ManagerName, directory: string): readonly Task[] {
  return tasks.map((task) => {
    if (task.command[1] !== 'run') return task;
    const read = readerOf(path.resolve(directory, task.cwd ?? '.'));
    return read('package.json') === undefined
      ? task
      : withRecorder(task, manager, { project: readPackageJson(read), read });
  });
}
