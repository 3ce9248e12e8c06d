import type { Control, Controls } from '../client/index.ts';
import { CliError } from './cli-error.ts';

function formatValue(control: Control, value: number): string {
  switch (control.kind) {
    case 'level':
      return value === Number.NEGATIVE_INFINITY ? '-inf dB' : `${value.toFixed(1)} dB`;
    case 'switch':
      return value === 0 ? 'off' : 'on';
    case 'selection':
      return `${value} (${control.choices.find((choice) => choice.value === value)?.name ?? 'unknown'})`;
    case 'number':
      return String(value);
  }
}

/** Values of a control as text: `-6.0 dB`, `on`, `2 (Line In)`; channels that differ are listed. */
export function formatControlValue(control: Control, values: readonly number[]): string {
  const texts = values.map((value) => formatValue(control, value));
  return texts.every((text) => text === texts[0]) ? (texts[0] ?? '') : texts.join(', ');
}

/** What a control can be set to, as text. */
export function formatControlRange(control: Control): string {
  if (control.kind === 'switch') return 'on | off';
  if (control.kind === 'selection')
    return control.choices.map(({ value, name }) => `${value} ${name}`).join(' | ');
  const range = control.ranges[0];
  if (!range) return '';
  const unit = control.kind === 'level' ? ' dB' : '';
  return `${range.minimum} … ${range.maximum}${unit}, step ${range.step}${unit}`;
}

/** Text → values: `-6`, `-6,-3` (left, right), `on`, `off`, or the name of what a selector selects. @throws CliError */
export function parseControlValue(control: Control, text: string): number | number[] {
  const parse = (part: string): number => {
    const word = part.trim().toLowerCase();
    if (control.kind === 'switch') {
      if (['on', 'true', '1', 'yes'].includes(word)) return 1;
      if (['off', 'false', '0', 'no'].includes(word)) return 0;
    } else if (control.kind === 'selection') {
      const choice = control.choices.find(
        ({ name, value }) => name.toLowerCase() === word || String(value) === word,
      );
      if (choice) return choice.value;
    } else {
      if (control.kind === 'level' && word === '-inf') return Number.NEGATIVE_INFINITY;
      const value = Number(word.replace(/\s*db$/, ''));
      if (word !== '' && !Number.isNaN(value)) return value;
    }
    throw new CliError(
      `'${control.name}' cannot be set to '${part.trim()}'. It takes ${formatControlRange(control) || 'a number'}.`,
    );
  };
  const parts = text.split(',');
  return parts.length === 1 ? parse(text) : parts.map(parse);
}

/** `Master Volume=-6` */
export function applySetting(controls: Controls, setting: string): void {
  const at = setting.indexOf('=');
  if (at <= 0)
    throw new CliError(`--set '${setting}': write it as CONTROL=VALUE, as in --set "Master Volume=-6".`);
  const control = controls.find(setting.slice(0, at).trim());
  controls.set(control, parseControlValue(control, setting.slice(at + 1)));
}
