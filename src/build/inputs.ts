import { text } from '../action/fields.ts';
import type { Inputs } from '../action/inputs.ts';
import { imageInputs } from '../image/inputs.ts';
import { supplyInputs } from '../supply/inputs.ts';

/** What every build action takes, whatever the language. */
export const buildInputs = {
  directory: text({ default: '.', allowed: 'a folder inside the repository' }),
  ...imageInputs,
  ...supplyInputs,
  artifact: text({ allowed: 'the path of a folder or file, relative to the directory' }),
  'artifact-name': text({
    default: 'build',
    pattern: /[^":<>|*?\\/]+/,
    max: 255,
    allowed: 'a name without ":<>|*?\\/',
  }),
} as const;

/** The parsed inputs that all build actions share. */
export type BuildInputs = Inputs<typeof buildInputs>;
