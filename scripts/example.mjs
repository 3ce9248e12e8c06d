// npm run example -- NAME: runs examples/NAME.ts (compiled by scripts/setup.mjs --examples).
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const names = readdirSync(join(root, 'examples')).map((file) => file.replace(/\.ts$/, ''));
const [name] = process.argv.slice(2);
if (!names.includes(name)) {
  console.error(`Say which example: npm run example -- NAME, with NAME one of ${names.join(', ')}.`);
  process.exit(2);
}
await import(pathToFileURL(join(root, 'dist-examples', 'examples', `${name}.js`)).href);
