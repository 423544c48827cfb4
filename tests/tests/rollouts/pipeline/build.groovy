// One build of a pipeline that calls poolshiftRollout, outside Jenkins: the library is the real
// file, run by the Groovy version that Jenkins uses; its steps are stood in for. HTTP is real.

String library = args[0]
Map wanted = new groovy.json.JsonSlurper().parseText(args[1])

Map build = [BUILD_URL: wanted.env.BUILD_URL, BUILD_NUMBER: wanted.env.BUILD_NUMBER,
    JOB_URL: wanted.env.JOB_URL, JOB_NAME: wanted.env.JOB_NAME, JENKINS_URL: wanted.env.JENKINS_URL]

Map answered(Map step) {
    def connection = new URL(step.url).openConnection()
    connection.requestMethod = step.httpMode
    connection.connectTimeout = 5000
    connection.readTimeout = step.timeout * 1000
    for (header in step.customHeaders) {
        connection.setRequestProperty(header.name, header.value)
    }
    if (step.requestBody != null) {
        assert step.contentType == 'APPLICATION_JSON_UTF8'
        connection.setRequestProperty('Content-Type', 'application/json; charset=UTF-8')
        connection.doOutput = true
        connection.outputStream.withCloseable { it.write(step.requestBody.getBytes('UTF-8')) }
    }
    int status = connection.responseCode
    def stream = status >= 400 ? connection.errorStream : connection.inputStream
    Map headers = [:]
    connection.headerFields.each { name, values -> if (name != null) { headers[name] = values } }
    return [status: status, content: stream?.getText('UTF-8'), headers: headers]
}

def binding = new Binding()
binding.env = build
binding.currentBuild = [startTimeInMillis: wanted.start as long,
    getBuildCauses: { String kind -> wanted.user ? [[userId: wanted.user]] : [] }]
binding.echo = { text -> println(text); System.out.flush() }
binding.error = { text -> throw new Exception(text.toString()) }
binding.sleep = { Map step ->
    assert step.unit == 'SECONDS'
    Thread.sleep(step.time * 1000L)
}
binding.string = { Map step -> step }
binding.withCredentials = { List credentials, Closure body ->
    assert credentials[0].credentialsId == 'poolshift'
    build[credentials[0].variable] = wanted.token
    try {
        body.call()
    } finally {
        build.remove(credentials[0].variable)
    }
}
binding.httpRequest = { Map step -> answered(step) }

try {
    def script = new GroovyShell(this.class.classLoader, binding).parse(new File(library))
    Map end = script.call(wanted.args)
    println("END ${end.outcome}")
} catch (Exception e) {
    println("FAILED ${e.message}")
    System.exit(1)
}
