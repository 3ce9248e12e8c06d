import {
  describeHdaPayload,
  describeHdaValue,
  HDA_REGISTERS,
  hdaVerbName,
} from '../../hardware/hda/index.ts';
import type { AccessSize } from '../../kernel/index.ts';
import { hex } from '../check.ts';
import { type ShownRegister, shownInWindow } from '../diff/index.ts';

/** The registers that an access of the window shows. */
export function shownHdaRegisters(offset: number, size: AccessSize): readonly ShownRegister[] {
  return shownInWindow(HDA_REGISTERS, offset, size, 'HDA');
}

/** `OSD0CTL+OSD0STS`, or `INTCTL (byte 1)`. */
export function hdaAccessName(offset: number, size: AccessSize): string {
  const shown = shownHdaRegisters(offset, size);
  const names = [...new Set(shown.map(({ name }) => name))].join('+');
  return shown.every(({ whole }) => whole) ? names : `${names} (${8 * size} bits at ${hex(offset)})`;
}

/** `40000014h (CIE)`. */
export function hdaWithMeaning(offset: number, size: AccessSize, value: number): string {
  const meaning = describeHdaValue(offset, size, value);
  return meaning === undefined ? hex(value) : `${hex(value)} (${meaning})`;
}

/** What the specification has at this place. */
export function hdaDocumentation(offset: number, size: AccessSize): string {
  const lines = HDA_REGISTERS.filter(
    (register) => register.offset < offset + size && register.offset + register.widthBytes > offset,
  ).map(({ name, access, meaning }) => `HDA 1.0a §3.3: ${name}, ${access}: ${meaning}`);
  return lines.length > 0 ? lines.join('\n') : 'HDA 1.0a §3.3 has no register here.';
}

/** `node 02h SET_FORMAT 4011h (44100 Hz …)`. */
export function hdaCommandText(nid: number, verb: number, payload: number): string {
  const meaning = describeHdaPayload(verb, payload);
  return `node ${hex(nid)} ${hdaVerbName(verb)} ${hex(payload)}${meaning === undefined ? '' : ` (${meaning})`}`;
}
