// `npm run bench` measures what a start costs; `npm run bench -- build` a whole build beside the usual chain of commands.
const [what = 'start'] = process.argv.slice(2);
if (what === 'start') await import('./start.ts');
else if (what === 'build') await import('./build/build.ts');
else throw new Error(`there is no benchmark ${what}; there are start and build`);
