// A stand-in for what the example takes of Android's assets.

package android.content.res

import java.io.FileDescriptor
import java.io.InputStream

class AssetFileDescriptor(
    val fileDescriptor: FileDescriptor,
    val startOffset: Long,
    val declaredLength: Long,
) : AutoCloseable {
    override fun close() {}
}

abstract class AssetManager {
    abstract fun open(name: String): InputStream

    abstract fun openFd(name: String): AssetFileDescriptor
}
