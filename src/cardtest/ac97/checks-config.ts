import {
  PCI_COMMAND,
  PCI_COMMAND_BUS_MASTER,
  PCI_COMMAND_IO,
  PCI_HEADER_TYPE,
  PCI_INTERRUPT_PIN,
  PCI_STATUS,
  PCI_VENDOR_ID,
} from '../../hal/index.ts';
import { GLOB_CNT, X_LVI } from '../../hardware/ac97/registers.ts';
import { AC97_VENDOR_ID1 } from '../../hardware/codecs/ac97-registers.ts';
import { TICKS_PER_MILLISECOND } from '../../kernel/index.ts';
import {
  expectClassCode,
  expectIdentityReadOnly,
  expectInterruptLineStores,
  expectNoWindowsFrom,
} from '../pci-expectations.ts';
import { checkTable } from './check-table.ts';

const BAR0 = 0x10;
const BAR1 = 0x14;

/** Configuration space: identity, windows, command register. */
export const CONFIG_CHECKS = checkTable('PCI', 'PCI configuration', [
  [
    '001',
    'The function is 8086:2415',
    '82801AA §12.1.1, §12.1.2',
    (bench, expect) => {
      expect.equal('vendor and device id', bench.card.readConfig(PCI_VENDOR_ID, 4), 0x2415_8086);
    },
    'powerOn',
  ],
  [
    '002',
    'Its class is 04h, 01h, 00h: multimedia, audio',
    '82801AA §12.1.6–12.1.8',
    (bench, expect) => {
      expectClassCode(bench.card, expect, 0x04_01_00);
    },
    'powerOn',
  ],
  [
    '003',
    'The mixer window is 256 bytes of I/O space',
    '82801AA §12.1.10',
    (bench, expect) => {
      const window = bench.card.windows[0];
      expect.that('kind of BAR0', window?.kind === 'io', 'io', window?.kind ?? 'none');
      expect.between('bytes of BAR0', window?.size ?? 0, 256, 256);
    },
    'powerOn',
  ],
  [
    '004',
    'The bus master window is 64 bytes of I/O space',
    '82801AA §12.1.11',
    (bench, expect) => {
      const window = bench.card.windows[1];
      expect.that('kind of BAR1', window?.kind === 'io', 'io', window?.kind ?? 'none');
      expect.between('bytes of BAR1', window?.size ?? 0, 64, 64);
    },
    'powerOn',
  ],
  [
    '005',
    'There are no further windows',
    '82801AA table 12-1',
    (bench, expect) => {
      expectNoWindowsFrom(bench.card, expect, 2);
    },
    'powerOn',
  ],
  [
    '006',
    'The status register is 0280h: fast back-to-back, medium DEVSEL#',
    '82801AA §12.1.4',
    (bench, expect) => {
      expect.bits('status', bench.card.readConfig(PCI_STATUS, 2), 0x06f0, 0x0280);
    },
    'powerOn',
  ],
  [
    '007',
    'An interrupt pin is named',
    '82801AA §12.1.15; PCI 3.0 §6.2.4',
    (bench, expect) => {
      expect.between('interrupt pin', bench.card.readConfig(PCI_INTERRUPT_PIN, 1), 1, 4);
    },
    'powerOn',
  ],
  [
    '008',
    'The header is that of a device with one layout, 00h',
    '82801AA §12.1.9',
    (bench, expect) => {
      expect.bits('header type', bench.card.readConfig(PCI_HEADER_TYPE, 1), 0x7f, 0x00);
    },
    'powerOn',
  ],
  [
    '009',
    'Identity registers ignore writes',
    '82801AA §12.1.1–12.1.8',
    (bench, expect) => {
      expectIdentityReadOnly(bench.card, expect);
    },
  ],
  [
    '010',
    'The interrupt line register stores what firmware writes',
    '82801AA §12.1.14; PCI 3.0 §6.2.4',
    (bench, expect) => {
      expectInterruptLineStores(bench.card, expect, [0x0a, 0x05]);
    },
  ],
  [
    '011',
    'I/O space and bus master enable of the command register can be switched',
    '82801AA §12.1.3',
    (bench, expect) => {
      for (const command of [
        0,
        PCI_COMMAND_IO,
        PCI_COMMAND_BUS_MASTER,
        PCI_COMMAND_IO | PCI_COMMAND_BUS_MASTER,
      ]) {
        bench.card.writeConfig(PCI_COMMAND, 2, command);
        expect.bits(`command after ${command}`, bench.card.readConfig(PCI_COMMAND, 2), 5, command);
      }
    },
  ],
  [
    '012',
    'Memory space of the command register is not there: the function has no memory window',
    '82801AA §12.1.3; PCI 3.0 §6.2.2',
    (bench, expect) => {
      bench.card.writeConfig(PCI_COMMAND, 2, 0x0007);
      expect.bits('memory space enable', bench.card.readConfig(PCI_COMMAND, 2), 2, 0);
      bench.card.writeConfig(PCI_COMMAND, 2, 0x0005);
    },
  ],
  [
    '013',
    'With I/O space disabled no register answers',
    '82801AA §12.1.3',
    (bench, expect) => {
      bench.card.writeConfig(PCI_COMMAND, 2, PCI_COMMAND_BUS_MASTER);
      expect.equal('x_LVI', bench.read8(0x10 + X_LVI), 0xff);
      expect.equal('vendor id of the codec', bench.readNam(AC97_VENDOR_ID1), 0xffff);
      bench.card.writeConfig(PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_BUS_MASTER);
      expect.equal('x_LVI when enabled again', bench.read8(0x10 + X_LVI), 0);
    },
  ],
  [
    '014',
    'Windows follow their base address registers',
    '82801AA §12.1.10, §12.1.11',
    (bench, expect) => {
      const { card } = bench;
      bench.setLvi('PO', 0x15);
      const [one, two] = [card.readConfig(BAR0, 4), card.readConfig(BAR1, 4)];
      card.writeConfig(BAR1, 4, 0x2000);
      expect.equal('PO_LVI at the old address', bench.read8(0x15), 0xff);
      card.writeConfig(BAR1, 4, two & ~3);
      expect.equal('PO_LVI back again', bench.read8(0x15), 0x15);
      expect.equal('BAR0 meanwhile', card.readConfig(BAR0, 4), one);
    },
  ],
  [
    '015',
    'The low bits of the base address registers say I/O space',
    '82801AA §12.1.10, §12.1.11',
    (bench, expect) => {
      expect.bits('BAR0', bench.card.readConfig(BAR0, 4), 3, 1);
      expect.bits('BAR1', bench.card.readConfig(BAR1, 4), 3, 1);
    },
  ],
  [
    '016',
    'Without bus master enable a capture or playback engine does not move',
    '82801AA §12.1.3; PCI 3.0 §6.2.2',
    (bench, expect) => {
      const { card } = bench;
      const address = card.allocateRam(4096);
      bench.describe('PO', [{ address, samples: 480 }]);
      card.writeConfig(PCI_COMMAND, 2, PCI_COMMAND_IO);
      bench.start('PO', 0);
      card.letTimePass(60 * TICKS_PER_MILLISECOND);
      expect.bits('PO_SR: nothing completed', bench.sr('PO'), 0x000e, 0);
      bench.stop('PO');
      card.writeConfig(PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_BUS_MASTER);
      expect.equal('GLOB_CNT is untouched', bench.read32(GLOB_CNT) & 0x3c, 0);
    },
  ],
]);
