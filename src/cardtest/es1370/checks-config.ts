import {
  PCI_BASE_ADDRESS_0,
  PCI_COMMAND,
  PCI_COMMAND_BUS_MASTER,
  PCI_COMMAND_IO,
  PCI_HEADER_TYPE,
  PCI_INTERRUPT_PIN,
  PCI_STATUS,
  PCI_VENDOR_ID,
} from '../../hal/index.ts';
import { CONTROL, CTL_RESET } from '../../hardware/es1370/registers.ts';
import {
  expectClassCode,
  expectIdentityReadOnly,
  expectInterruptLineStores,
  expectNoWindowsFrom,
} from '../pci-expectations.ts';
import { checkTable } from './check-table.ts';

const SUBSYSTEM = 0x2c;
const MIN_GRANT = 0x3e;
const STATUS_CAPABILITIES = 0x10;
const STATUS_DEVSEL = 0x0600;
const DEVSEL_SLOW = 0x0400;
const SERR_ENABLE = 0x0100;

/** Configuration space: identity, window, command register. */
export const CONFIG_CHECKS = checkTable('PCI', 'PCI configuration', [
  [
    '001',
    'The function is 1274:5000',
    'ens1370.c snd_audiopci_ids',
    (bench, expect) => {
      expect.equal('vendor and device id', bench.card.readConfig(PCI_VENDOR_ID, 4), 0x5000_1274);
    },
    'powerOn',
  ],
  [
    '002',
    'Its class is 04h, 01h, 00h: multimedia, audio',
    'PCI 3.0 Appendix D',
    (bench, expect) => {
      expectClassCode(bench.card, expect, 0x04_01_00);
    },
    'powerOn',
  ],
  [
    '003',
    'Its registers are a window of I/O space, with room for 40h bytes',
    'ens1370.c (port); PCI 3.0 §6.2.5.1',
    (bench, expect) => {
      const window = bench.card.windows[0];
      expect.that('kind of BAR0', window?.kind === 'io', 'io', window?.kind ?? 'none');
      expect.between('bytes of BAR0', window?.size ?? 0, 0x40, 0x100);
    },
    'powerOn',
  ],
  [
    '004',
    'There are no further windows',
    'ens1370.c snd_ensoniq_create: one port range',
    (bench, expect) => {
      expectNoWindowsFrom(bench.card, expect, 1);
    },
    'powerOn',
  ],
  [
    '005',
    'It names a subsystem',
    'PCI 3.0 §6.2.4; inferred (4942:4C4C, “ILBI”)',
    (bench, expect) => {
      expect.equal('subsystem', bench.card.readConfig(SUBSYSTEM, 4), 0x4c4c_4942);
    },
    'powerOn',
  ],
  [
    '006',
    'It uses INTA#',
    'PCI 3.0 §6.2.4 (interrupt pin)',
    (bench, expect) => {
      expect.equal('interrupt pin', bench.card.readConfig(PCI_INTERRUPT_PIN, 1), 1);
    },
    'powerOn',
  ],
  [
    '007',
    'The interrupt line register is memory of the operating system',
    'PCI 3.0 §6.2.4 (interrupt line)',
    (bench, expect) => {
      expectInterruptLineStores(bench.card, expect, [0x00, 0x0b, 0xff]);
    },
    'powerOn',
  ],
  [
    '008',
    'It has one function, and a header of type 0',
    'PCI 3.0 §6.2.1 (header type)',
    (bench, expect) => {
      expect.equal('header type', bench.card.readConfig(PCI_HEADER_TYPE, 1), 0);
    },
    'powerOn',
  ],
  [
    '009',
    'It answers slowly (DEVSEL# timing), and has no list of capabilities',
    'PCI 3.0 §6.2.3; inferred (slow)',
    (bench, expect) => {
      const status = bench.card.readConfig(PCI_STATUS, 2);
      expect.bits('DEVSEL# timing', status, STATUS_DEVSEL, DEVSEL_SLOW);
      expect.bits('capabilities', status, STATUS_CAPABILITIES, 0);
    },
    'powerOn',
  ],
  [
    '010',
    'It says how long it wants the bus',
    'PCI 3.0 §6.2.4 (Min_Gnt, Max_Lat); inferred values',
    (bench, expect) => {
      expect.equal('Min_Gnt and Max_Lat', bench.card.readConfig(MIN_GRANT, 2), 0x800c);
    },
    'powerOn',
  ],
  [
    '011',
    'I/O space and bus mastering are switched in the command register',
    'PCI 3.0 §6.2.2',
    (bench, expect) => {
      const { card } = bench;
      const both = PCI_COMMAND_IO | PCI_COMMAND_BUS_MASTER;
      card.writeConfig(PCI_COMMAND, 2, 0);
      expect.bits('both off', card.readConfig(PCI_COMMAND, 2), both, 0);
      card.writeConfig(PCI_COMMAND, 2, both | SERR_ENABLE);
      expect.bits('both on', card.readConfig(PCI_COMMAND, 2), both, both);
    },
  ],
  [
    '012',
    'With I/O space off its ports are not there',
    'PCI 3.0 §6.2.2 (I/O space)',
    (bench, expect) => {
      const { card } = bench;
      card.writeConfig(PCI_COMMAND, 2, PCI_COMMAND_BUS_MASTER);
      expect.equal('CONTROL', bench.read(CONTROL), 0xffff_ffff);
      card.writeConfig(PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_BUS_MASTER);
      expect.that(
        'CONTROL afterwards',
        (bench.read(CONTROL) & CTL_RESET) !== 0,
        'SERR_DIS set',
        'SERR_DIS clear',
      );
    },
  ],
  [
    '013',
    'The base address register keeps the bits above the window’s size',
    'PCI 3.0 §6.2.5.1',
    (bench, expect) => {
      const { card } = bench;
      const address = card.readConfig(PCI_BASE_ADDRESS_0, 4);
      card.writeConfig(PCI_BASE_ADDRESS_0, 4, 0x0000_c001);
      expect.equal('BAR0', card.readConfig(PCI_BASE_ADDRESS_0, 4), 0x0000_c001);
      card.writeConfig(PCI_BASE_ADDRESS_0, 4, address);
    },
  ],
  [
    '014',
    'Identity and class cannot be written',
    'PCI 3.0 §6.2.1',
    (bench, expect) => {
      expectIdentityReadOnly(bench.card, expect);
    },
  ],
]);
