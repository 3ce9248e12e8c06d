import { driverSuite } from '../support/driver-suite.ts';
import { SB16 } from '../support/driver-suite-cards.ts';
import { describeWithQemu } from '../support/with-qemu.ts';

describeWithQemu('the Sound Blaster 16 of QEMU', () => {
  // QEMU's card records nothing, and takes 1024 frames at once when it starts: at 22050 Hz that is 46 ms, more than the 40 ms that the
  // WaveCyclic port keeps ahead by its documentation, so that there is a gap then.
  driverSuite('qemu', { ...SB16, rates: [44_100], captureCategory: null, realTimeRetries: 3 });
});
