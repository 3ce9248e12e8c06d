import { driverSuite } from '../support/driver-suite.ts';
import { SB16 } from '../support/driver-suite-cards.ts';
import { describeWithQemu } from '../support/with-qemu.ts';

describeWithQemu('the Sound Blaster 16 of QEMU', () => {
  // QEMU's card records nothing. The driver's lead is short against the stalls of a busy computer, hence the retries.
  driverSuite('qemu', {
    ...SB16,
    rates: [44_100, 22_050, 11_025],
    captureCategory: null,
    realTimeRetries: 3,
  });
});
