// A stand-in for LiteRT's interpreter: signatures of plain arithmetic, which the test has too.

package org.tensorflow.lite

import java.nio.ByteBuffer

interface Delegate : AutoCloseable

class Tensor(private val bytes: Int) {
    fun numBytes(): Int = bytes
}

class Interpreter(private val file: ByteBuffer, options: Options) : AutoCloseable {
    class Options {
        fun setNumThreads(count: Int): Options = this

        fun addDelegate(delegate: Delegate?): Options = this
    }

    /** Its file is the side of its tiles. */
    private val tile: Int = file.getInt(0)

    fun getOutputTensorFromSignature(output: String, name: String): Tensor =
        Tensor(4 * 3 * tile * tile)

    fun runSignature(inputs: Map<String, Any>, outputs: Map<String, Any>, name: String) {
        val given = inputs.mapValues { (it.value as ByteBuffer).asFloatBuffer() }
        val pixels = given.getValue("pixels")
        val tables = given.getValue("tables")
        check(pixels.limit() == 3 * tile * tile)
        if (name == "restore") {
            check(tables.limit() == 128)
            val fine = given.getValue("noise_0")
            val coarse = given.getValue("noise_1")
            put(outputs.getValue("restored")) { y, x, channel ->
                val grain = 4 * fine[y / 2 * (tile / 2) + x / 2] +
                    2 * coarse[y / 4 * (tile / 4) + x / 4]
                pixels[(y * tile + x) * 3 + channel] + grain + channel * tables[1] - tables[65]
            }
        } else {
            check(tables.limit() == 192)
            val decoded = given.getValue("decoded")
            val shift = name.removePrefix("project_").toFloat() / 100
            put(outputs.getValue("projected")) { y, x, channel ->
                val at = (y * tile + x) * 3 + channel
                (pixels[at] + decoded[at]) / 2 + tables[129] + shift
            }
        }
    }

    private fun put(output: Any, value: (Int, Int, Int) -> Float) {
        val buffer = output as ByteBuffer
        for (y in 0 until tile) {
            for (x in 0 until tile) {
                for (channel in 0 until 3) {
                    buffer.putFloat(value(y, x, channel))
                }
            }
        }
    }

    override fun close() {}
}
