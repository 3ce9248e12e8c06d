import { NABM_REGISTERS, type RegisterDescription } from '../../hardware/ac97/registers.ts';
import { ac97RegisterName, describeAc97Value } from '../../hardware/codecs/ac97-describe.ts';
import { AC97_REGISTER_AT } from '../../hardware/codecs/ac97-registers.ts';
import type { AccessSize } from '../../kernel/index.ts';
import { type ShownRegister, shownInWindow } from '../diff/index.ts';

/** Sections of the 82801AA datasheet, by the part of a register's name behind the engine's. */
const SECTIONS: Readonly<Record<string, string>> = {
  BDBAR: '12.2.1',
  CIV: '12.2.2',
  LVI: '12.2.3',
  SR: '12.2.4',
  PICB: '12.2.5',
  PIV: '12.2.6',
  CR: '12.2.7',
  GLOB_CNT: '12.2.8',
  GLOB_STA: '12.2.9',
  CAS: '12.2.10',
};

/** Of an AC'97 audio function. */
export interface Ac97ShownRegister extends ShownRegister {
  /** The engine's register without the engine: `CIV` of `PO_CIV`; of others the whole name. */
  readonly kind: string;
}

/** What an access of this width shows: in the bus master window often several registers, in the mixer window the codec's. */
export function shownRegisters(bar: number, offset: number, size: AccessSize): readonly Ac97ShownRegister[] {
  if (bar === 0) {
    const name = ac97RegisterName(offset);
    return [{ name, kind: name, shift: 0, bits: 8 * size, whole: size === 2 }];
  }
  return shownInWindow(NABM_REGISTERS, offset, size, 'NABM').map((register) => ({
    ...register,
    kind: register.name.replace(/^(PI|PO|MC)_/, ''),
  }));
}

/** `PO_CIV+PO_LVI+PO_SR`. */
export function accessName(bar: number, offset: number, size: AccessSize): string {
  const names = new Set(shownRegisters(bar, offset, size).map(({ name }) => name));
  return [...names].join('+');
}

function findBusMasterRegister(name: string): RegisterDescription | undefined {
  return NABM_REGISTERS.find((register) => register.name === name);
}

/** Names of the bits that are set in a register's value, or what a codec register's value means; empty when there is nothing to say. */
export function valueMeaning(bar: number, offset: number, size: AccessSize, value: number): string {
  if (bar === 0) return size === 2 ? (describeAc97Value(offset, value) ?? '') : '';
  const parts: string[] = [];
  for (const { name, shift } of shownRegisters(bar, offset, size)) {
    const own = value >>> shift;
    for (const field of findBusMasterRegister(name)?.fields ?? []) {
      if ((own & field.mask) !== 0) parts.push(field.name);
    }
  }
  return parts.join(' ');
}

/** What the documents say of a register, with the section; null for one that they do not know. */
export function registerDocumentation(bar: number, offset: number, size: AccessSize): string | null {
  if (bar === 0) {
    const register = AC97_REGISTER_AT[offset >> 1] ?? null;
    return register === null
      ? `AC’97 2.3 Appendix A: ${accessName(bar, offset, size)} is reserved or not there; it reads 0.`
      : `AC’97 2.3 §${register.section}: ${register.name}, ${register.meaning}.`;
  }
  const lines = shownRegisters(bar, offset, size).flatMap(({ name, kind }) => {
    const register = findBusMasterRegister(name);
    return register
      ? [`82801AA §${SECTIONS[kind] ?? '12.2'}: ${name} (${register.access}), ${register.meaning}.`]
      : [];
  });
  return lines.length === 0 ? null : lines.join('\n');
}
