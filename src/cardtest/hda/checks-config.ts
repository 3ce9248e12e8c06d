import {
  PCI_CAPABILITIES_POINTER,
  PCI_COMMAND,
  PCI_COMMAND_BUS_MASTER,
  PCI_COMMAND_MEMORY,
  PCI_HEADER_TYPE,
  PCI_INTERRUPT_PIN,
  PCI_STATUS,
  PCI_STATUS_CAPABILITIES,
  PCI_VENDOR_ID,
} from '../../hal/index.ts';
import * as R from '../../hardware/hda/registers.ts';
import { GET_PARAMETER } from '../../hardware/hda/verbs.ts';
import {
  expectClassCode,
  expectIdentityReadOnly,
  expectInterruptLineStores,
  expectNoWindowsFrom,
} from '../pci-expectations.ts';
import type { HdaBench } from './bench.ts';
import { checkTable } from './check-table.ts';
import { HdaRings } from './rings.ts';

const BAR0 = 0x10;
const HDCTL = 0x40;
const TCSEL = 0x44;

const CAPABILITY_POWER = 0x01;
const CAPABILITY_MESSAGE = 0x05;
const MOST_CAPABILITIES = 48;
const PMCSR = 4;
const D3 = 3;
const MESSAGE_CONTROL = 2;
const MESSAGE_ADDRESS = 4;
const MESSAGE_UPPER = 8;
const MESSAGE_DATA = 12;
const MESSAGE_ENABLE = 1;
const MESSAGE_64_BITS = 1 << 7;
const POWER_ON = { need: 'powerOn' } as const;

/** Where the capability of that id is; 0 when it is not in the list. */
function capability(bench: HdaBench, id: number): number {
  let at = bench.card.readConfig(PCI_CAPABILITIES_POINTER, 1) & 0xfc;
  for (let left = MOST_CAPABILITIES; at !== 0 && left > 0; left--) {
    if (bench.card.readConfig(at, 1) === id) return at;
    at = bench.card.readConfig(at + 1, 1) & 0xfc;
  }
  return 0;
}

/** Configuration space: identity, window, command register, capabilities. */
export const CONFIG_CHECKS = checkTable('PCI', 'PCI configuration', [
  [
    '001',
    'The function is 8086:2668 (ICH6) or 8086:293E (ICH9)',
    'ICH6 §18.1.1, §18.1.2',
    (bench, expect) => {
      expect.equal('vendor id', bench.card.readConfig(PCI_VENDOR_ID, 2), 0x8086);
      const device = bench.card.readConfig(PCI_VENDOR_ID + 2, 2);
      expect.that(
        'device id',
        device === 0x2668 || device === 0x293e,
        '2668h or 293Eh',
        `${device.toString(16)}h`,
      );
    },
    POWER_ON,
  ],
  [
    '002',
    'Its class is 04h, 03h, 00h: multimedia, High Definition Audio',
    'ICH6 §18.1.6–18.1.8',
    (bench, expect) => {
      expectClassCode(bench.card, expect, 0x04_03_00);
    },
    POWER_ON,
  ],
  [
    '003',
    'The register window is 16 KiB of memory space',
    'ICH6 §18.1.12; HDA 1.0a §3.1.1',
    (bench, expect) => {
      const window = bench.card.windows[0];
      expect.that(
        'kind of BAR0',
        window?.kind.startsWith('memory') === true,
        'memory',
        window?.kind ?? 'none',
      );
      expect.between('bytes of BAR0', window?.size ?? 0, 0x4000, 0x4000);
    },
    POWER_ON,
  ],
  [
    '004',
    'The window may lie anywhere in 64 bits, and is not prefetchable',
    'ICH6 §18.1.12',
    (bench, expect) => {
      expect.bits('BAR0, type', bench.card.readConfig(BAR0, 1), 0x06, 0x04);
      expect.bits('BAR0, prefetchable', bench.card.readConfig(BAR0, 1), 0x08, 0);
    },
    POWER_ON,
  ],
  [
    '005',
    'There are no further windows',
    'ICH6 table 18-1',
    (bench, expect) => {
      expectNoWindowsFrom(bench.card, expect, 1);
    },
    POWER_ON,
  ],
  [
    '006',
    'An interrupt pin is named',
    'ICH6 §18.1.18; PCI 3.0 §6.2.4',
    (bench, expect) => {
      expect.between('interrupt pin', bench.card.readConfig(PCI_INTERRUPT_PIN, 1), 1, 4);
    },
    POWER_ON,
  ],
  [
    '007',
    'The header is that of a device with one layout, 00h',
    'ICH6 §18.1.11',
    (bench, expect) => {
      expect.bits('header type', bench.card.readConfig(PCI_HEADER_TYPE, 1), 0x7f, 0x00);
    },
    POWER_ON,
  ],
  [
    '008',
    'The status register tells of a list of capabilities',
    'ICH6 §18.1.4, §18.1.16',
    (bench, expect) => {
      expect.bits(
        'status',
        bench.card.readConfig(PCI_STATUS, 2),
        PCI_STATUS_CAPABILITIES,
        PCI_STATUS_CAPABILITIES,
      );
      expect.that(
        'first capability',
        bench.card.readConfig(PCI_CAPABILITIES_POINTER, 1) >= 0x40,
        '40h or above',
        `${bench.card.readConfig(PCI_CAPABILITIES_POINTER, 1)}`,
      );
    },
    POWER_ON,
  ],
  [
    '009',
    'Power management is among the capabilities, with D3hot and no D1 and D2',
    'ICH6 §18.1.21, §18.1.22',
    (bench, expect) => {
      const at = capability(bench, CAPABILITY_POWER);
      expect.that('power management capability', at !== 0, 'in the list', 'missing');
      if (at !== 0) expect.bits('D1 and D2', bench.card.readConfig(at + 2, 2), 0x0600, 0);
    },
    POWER_ON,
  ],
  [
    '010',
    'Message signalled interrupts are among the capabilities: one message, 64-bit address',
    'ICH6 §18.1.24, §18.1.25',
    (bench, expect) => {
      const at = capability(bench, CAPABILITY_MESSAGE);
      expect.that('MSI capability', at !== 0, 'in the list', 'missing');
      if (at === 0) return;
      const control = bench.card.readConfig(at + MESSAGE_CONTROL, 2);
      expect.bits('64-bit address', control, MESSAGE_64_BITS, MESSAGE_64_BITS);
      expect.bits('messages', control, 0x000e, 0);
      expect.bits('enable after power-on', control, MESSAGE_ENABLE, 0);
    },
    POWER_ON,
  ],
  [
    '011',
    'HDCTL says that the link is High Definition Audio',
    'ICH6 §18.1.19',
    (bench, expect) => {
      expect.bits('HDCTL', bench.card.readConfig(HDCTL, 1), 1, 1);
    },
    POWER_ON,
  ],
  [
    '012',
    'TCSEL stores a traffic class of three bits, 0 after power-on',
    'ICH6 §18.1.20',
    (bench, expect) => {
      expect.equal('TCSEL after power-on', bench.card.readConfig(TCSEL, 1), 0);
      bench.card.writeConfig(TCSEL, 1, 0xff);
      expect.equal('TCSEL after FFh', bench.card.readConfig(TCSEL, 1), 0x07);
      bench.card.writeConfig(TCSEL, 1, 0);
      expect.equal('TCSEL after 0', bench.card.readConfig(TCSEL, 1), 0);
    },
    POWER_ON,
  ],
  [
    '013',
    'Identity registers ignore writes',
    'ICH6 §18.1.1–18.1.8',
    (bench, expect) => {
      expectIdentityReadOnly(bench.card, expect);
    },
  ],
  [
    '014',
    'The interrupt line register stores what firmware writes',
    'ICH6 §18.1.17; PCI 3.0 §6.2.4',
    (bench, expect) => {
      expectInterruptLineStores(bench.card, expect, [0x0a, 0x05]);
    },
  ],
  [
    '015',
    'Memory space and bus master enable of the command register can be switched',
    'ICH6 §18.1.3',
    (bench, expect) => {
      for (const command of [0, 2, 4, 6]) {
        bench.card.writeConfig(PCI_COMMAND, 2, command);
        expect.bits(`command after ${command}`, bench.card.readConfig(PCI_COMMAND, 2), 6, command);
      }
    },
  ],
  [
    '016',
    'With memory space disabled no register answers',
    'ICH6 §18.1.3',
    (bench, expect) => {
      bench.card.writeConfig(PCI_COMMAND, 2, PCI_COMMAND_BUS_MASTER);
      const value = bench.read16(R.GCAP);
      expect.that('GCAP', value !== R.GCAP_VALUE, 'not 4401h', `${value.toString(16)}h`);
      bench.card.writeConfig(PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_BUS_MASTER);
      expect.equal('GCAP when enabled again', bench.read16(R.GCAP), R.GCAP_VALUE);
    },
  ],
  [
    '017',
    'The window follows its base address register, and registers keep their values',
    'ICH6 §18.1.12',
    (bench, expect) => {
      const { card } = bench;
      bench.write32(R.INTCTL, 0x55);
      const base = card.readConfig(BAR0, 4);
      card.writeConfig(BAR0, 4, 0xe800_0000);
      const old = bench.read32(R.INTCTL);
      expect.that('INTCTL at the old address', old !== 0x55, 'not 55h', `${old.toString(16)}h`);
      card.writeConfig(BAR0, 4, base);
      expect.equal('INTCTL back again', bench.read32(R.INTCTL), 0x55);
    },
  ],
  [
    '018',
    'Without bus master enable the CORB is not read and no response stored',
    'ICH6 §18.1.3; PCI 3.0 §6.2.2',
    (bench, expect) => {
      const rings = new HdaRings(bench).start();
      bench.card.writeConfig(PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
      rings.post(0, GET_PARAMETER, 0);
      bench.wait(5);
      expect.equal('response in memory', rings.entry(1).response, 0);
      bench.card.writeConfig(PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_BUS_MASTER);
    },
  ],
  [
    '019',
    'In D3 no register answers; back in D0 the controller is in reset, as after power-on',
    'ICH6 §18.1.23; HDA 1.0a §3.1',
    (bench, expect) => {
      const at = capability(bench, CAPABILITY_POWER);
      expect.that('power management capability', at !== 0, 'in the list', 'missing');
      if (at === 0) return;
      bench.write32(R.CORBLBASE, 0x1234_5680);
      bench.card.writeConfig(at + PMCSR, 2, D3);
      bench.wait(1);
      const asleep = bench.read16(R.GCAP);
      expect.that('GCAP in D3', asleep !== R.GCAP_VALUE, 'not 4401h', `${asleep.toString(16)}h`);
      bench.card.writeConfig(at + PMCSR, 2, 0);
      bench.wait(1);
      expect.bits('GCTL.CRST in D0', bench.read32(R.GCTL), R.GCTL_CRST, 0);
      bench.leaveReset();
      expect.equal('CORBLBASE', bench.read32(R.CORBLBASE), 0);
    },
  ],
  [
    '020',
    'With messages enabled an interrupt is a write of the message, and the line stays low',
    'ICH6 §18.1.25–18.1.28; PCI 3.0 §6.8',
    (bench, expect) => {
      const { card } = bench;
      const at = capability(bench, CAPABILITY_MESSAGE);
      expect.that('MSI capability', at !== 0, 'in the list', 'missing');
      if (at === 0) return;
      const target = card.allocateRam(16, 16);
      card.writeConfig(at + MESSAGE_ADDRESS, 4, target);
      card.writeConfig(at + MESSAGE_UPPER, 4, 0);
      card.writeConfig(at + MESSAGE_DATA, 2, 0x4321);
      card.writeConfig(at + MESSAGE_CONTROL, 2, MESSAGE_ENABLE);
      bench.write32(R.INTCTL, R.INT_GLOBAL | R.INT_CONTROLLER);
      new HdaRings(bench)
        .start({ rintcnt: 1, rirbCtl: R.RIRBCTL_DMAEN | R.RIRBCTL_RINTCTL })
        .post(0, GET_PARAMETER, 0);
      card.waitUntil(() => card.readRamUlong(target) !== 0, 50_000);
      expect.equal('message', card.readRamUlong(target), 0x4321);
      expect.that('interrupt line', !card.interruptAsserted, 'low', 'high');
      bench.write8(R.RIRBSTS, R.RIRBSTS_RINTFL);
      card.writeConfig(at + MESSAGE_CONTROL, 2, 0);
    },
  ],
]);
