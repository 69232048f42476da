// A stand-in for LiteRT's GPU delegate, for no device.

package org.tensorflow.lite.gpu

import org.tensorflow.lite.Delegate

class GpuDelegate(options: Options) : Delegate {
    class Options {
        fun setPrecisionLossAllowed(allowed: Boolean): Options = this
    }

    override fun close() {}
}

class CompatibilityList : AutoCloseable {
    val isDelegateSupportedOnThisDevice: Boolean = false
    val bestOptionsForThisDevice: GpuDelegate.Options = GpuDelegate.Options()

    override fun close() {}
}
