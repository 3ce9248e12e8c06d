/** What every PCI function is to keep in its configuration space (PCI 3.0, chapter 6), for the checks of all PCI cards. */
import { PCI_CLASS_CODE, PCI_INTERRUPT_LINE, PCI_VENDOR_ID } from '../hal/index.ts';
import type { CardUnderTest } from './card-under-test.ts';
import type { Expectations } from './check.ts';

/** The three bytes of the class code: multimedia, audio is 04_01_00h, HDA 04_03_00h (Appendix D). */
export function expectClassCode(card: CardUnderTest, expect: Expectations, classCode: number): void {
  expect.equal('class code', card.readConfig(PCI_CLASS_CODE - 1, 4) >>> 8, classCode);
}

/** No base address register answers from number `first` on. */
export function expectNoWindowsFrom(card: CardUnderTest, expect: Expectations, first: number): void {
  const more = card.windows.slice(first).filter((window) => window !== null).length;
  expect.between('further base address registers', more, 0, 0);
}

/** Vendor, device, revision and class are what they were after something else was written there (§6.2.1). */
export function expectIdentityReadOnly(card: CardUnderTest, expect: Expectations): void {
  const identity = () => [PCI_VENDOR_ID, PCI_CLASS_CODE - 1].map((offset) => card.readConfig(offset, 4));
  const before = identity();
  for (const offset of [PCI_VENDOR_ID, PCI_CLASS_CODE - 1]) card.writeConfig(offset, 4, 0x5a5a_a5a5);
  const after = identity();
  expect.equal('vendor and device id', after[0] ?? 0, before[0] ?? 0);
  expect.equal('revision and class', after[1] ?? 0, before[1] ?? 0);
}

/** The interrupt line register keeps what firmware writes (§6.2.4). */
export function expectInterruptLineStores(
  card: CardUnderTest,
  expect: Expectations,
  lines: readonly number[],
): void {
  for (const line of lines) {
    card.writeConfig(PCI_INTERRUPT_LINE, 1, line);
    expect.equal(`interrupt line after ${line}`, card.readConfig(PCI_INTERRUPT_LINE, 1), line);
  }
}
