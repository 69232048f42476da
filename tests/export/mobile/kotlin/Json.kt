// A stand-in for what Restorer.kt takes of Android's org.json: whole numbers and lists of them.

package org.json

class JSONArray(private val values: List<Int>) {
    fun length(): Int = values.size

    fun getInt(index: Int): Int = values[index]
}

class JSONObject(private val text: String) {
    fun isNull(name: String): Boolean = find(name, "null") != null

    fun getInt(name: String): Int = find(name, "\\d+")!!.toInt()

    fun getJSONArray(name: String): JSONArray =
        JSONArray(Regex("\\d+").findAll(find(name, "\\[[^]]*]")!!).map { it.value.toInt() }.toList())

    private fun find(name: String, value: String): String? =
        Regex("\"$name\": *($value)").find(text)?.groupValues?.get(1)
}
