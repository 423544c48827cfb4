// Asks Poolshift for a rollout of what this build made, and waits for its end: the build fails
// unless the rollout has succeeded. See ../README.md for the arguments.
//
// All that is kept between two requests is text and numbers, so Jenkins can restart at any moment:
// the request that was under way then fails, and is sent again. The key of the delivery is made
// from this build, so asking again does not ask twice; and Poolshift answers a status again however
// often it is asked. The library needs the plugins HTTP Request and Credentials Binding only.

import com.cloudbees.groovy.cps.NonCPS
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException

def call(Map args) {
    for (String name in ['gateway', 'credentials', 'service', 'environment', 'version', 'sha256']) {
        if (!args[name]) {
            error("poolshiftRollout: `${name}` is missing")
        }
    }
    String gateway = withoutSlash(args.gateway.toString())
    String target = "${args.environment}/${args.service}"
    String page = env.BUILD_URL ?: "${env.JOB_NAME}/${env.BUILD_NUMBER}/"
    // A job that was deleted and made anew counts from 1 again: the time of its start tells both apart.
    String key = "${page}@${currentBuild.startTimeInMillis}#${target}"
    String trigger = triggerOf(args, requester(), env.JENKINS_URL, env.JOB_URL, env.JOB_NAME,
        env.BUILD_URL, env.BUILD_NUMBER)

    Map answer = persist(args, 'POST', "${gateway}/webhooks/jenkins", trigger, ['Idempotency-Key': key], 0)
    if (answer.status != 202) {
        error("Poolshift takes no rollout to ${target}: ${problem(answer)}")
    }
    String id = field(answer.content, 'rollout')
    echo("Poolshift: rollout ${id} of ${args.version} to ${target} is asked for")
    return await(args, "${gateway}/api/v1/rollouts/${id}", id, target)
}

// Follows the rollout to its end by long polls.
def await(Map args, String url, String id, String target) {
    long until = System.currentTimeMillis() + minutes(args.within, 24 * 60)
    String etag = null
    String shown = null
    while (System.currentTimeMillis() < until) {
        Map headers = ['Prefer': "wait=${args.poll ?: 30}".toString()]
        if (etag) {
            headers['If-None-Match'] = etag
        }
        long asked = System.currentTimeMillis()
        Map answer = persist(args, 'GET', url, null, headers, until)
        // A proxy that strips `Prefer` lets every poll be answered at once.
        if (System.currentTimeMillis() - asked < 2000L) {
            sleep(time: 2, unit: 'SECONDS')
        }
        if (answer.status == 304) {
            continue
        }
        if (answer.status != 200) {
            error("Poolshift does not show rollout ${id}: ${problem(answer)}")
        }
        etag = answer.etag
        Map seen = look(answer.content)
        if (seen.status == 'finished') {
            if (seen.outcome != 'succeeded') {
                error("Poolshift: rollout ${id} to ${target} ended as ${seen.outcome}: ${seen.reason}")
            }
            echo("Poolshift: rollout ${id} to ${target} has succeeded")
            return seen
        }
        if (seen.line != shown) {
            shown = seen.line
            echo("Poolshift: ${target}: ${shown}")
        }
    }
    error("Poolshift: rollout ${id} to ${target} is not over in time; it goes on, see ${url}")
}

// Sends a request until it is answered with something other than "not now". Gives up at `until`
// (milliseconds since 1970), if that is not 0, or when nobody has answered for `unreachable` minutes.
def persist(Map args, String mode, String url, String body, Map headers, long until) {
    long patience = System.currentTimeMillis() + minutes(args.unreachable, 30)
    long end = until > 0 ? Math.min(until, patience) : patience
    int pause = 1
    while (true) {
        String why = null
        try {
            Map answer = request(args, mode, url, body, headers)
            if (answer.status < 500 && answer.status != 429 && answer.status != 408) {
                return answer
            }
            why = problem(answer)
        } catch (FlowInterruptedException e) {
            // Somebody has stopped the build.
            throw e
        } catch (Exception e) {
            // No connection; or Jenkins has restarted and says that this step cannot be resumed.
            why = e.toString()
        }
        if (System.currentTimeMillis() + pause * 1000L >= end) {
            error("Poolshift does not answer at ${url}: ${why}")
        }
        echo("Poolshift does not answer, again in ${pause} s: ${why}")
        sleep(time: pause, unit: 'SECONDS')
        pause = Math.min(pause * 2, 30)
    }
}

def request(Map args, String mode, String url, String body, Map headers) {
    Map got = null
    withCredentials([string(credentialsId: args.credentials, variable: 'POOLSHIFT_TOKEN')]) {
        List all = [[name: 'Authorization', value: 'Bearer ' + env.POOLSHIFT_TOKEN, maskValue: true]]
        for (String name in ['Idempotency-Key', 'Prefer', 'If-None-Match']) {
            if (headers[name]) {
                all.add([name: name, value: headers[name], maskValue: false])
            }
        }
        Map wanted = [url: url, httpMode: mode, customHeaders: all, timeout: 90, quiet: true,
            consoleLogResponseBody: false, validResponseCodes: '100:599']
        if (body != null) {
            wanted.contentType = 'APPLICATION_JSON_UTF8'
            wanted.requestBody = body
        }
        def answer = httpRequest(wanted)
        got = [status: answer.status, content: answer.content ?: '', etag: header(answer.headers, 'etag')]
    }
    return got
}

// The user who started the build; nobody when a timer or a push did.
def requester() {
    def causes = currentBuild.getBuildCauses('hudson.model.Cause$UserIdCause')
    return causes ? causes[0].userId?.toString() : null
}

@NonCPS
String triggerOf(Map args, String requester, String controller, String jobUrl, String jobName,
    String buildUrl, String number) {
    Map artifact = [sha256: args.sha256.toString()]
    if (args.artifactUrl) {
        artifact.url = args.artifactUrl.toString()
    }
    Map build = [controller: controller ?: 'jenkins', job: jobUrl ?: jobName, number: Integer.parseInt(number)]
    if (buildUrl) {
        build.url = buildUrl
    }
    Map trigger = [service: args.service.toString(), environment: args.environment.toString(),
        version: args.version.toString(), artifact: artifact, build: build]
    for (String name in ['commit', 'change', 'tests']) {
        if (args[name]) {
            trigger[name] = args[name]
        }
    }
    String who = args.requester ?: requester
    if (who) {
        trigger.requester = who
    }
    return groovy.json.JsonOutput.toJson(trigger)
}

// Of a document only texts are kept: what the parser makes of it cannot be kept over a restart.
@NonCPS
Map look(String content) {
    Map document = new groovy.json.JsonSlurper().parseText(content)
    String line = document.status
    List waiting = document.waiting ?: []
    for (int i = 0; i < waiting.size(); i++) {
        line += (i == 0 ? ': ' : '; ') + waiting[i].what
    }
    return [id: document.id?.toString(), status: document.status?.toString(),
        outcome: document.outcome?.toString(), reason: document.reason?.toString(), line: line]
}

@NonCPS
String field(String content, String name) {
    return new groovy.json.JsonSlurper().parseText(content)[name]?.toString()
}

// What is wrong and how to mend it, as Poolshift says; or whatever a proxy says.
@NonCPS
String problem(Map answer) {
    try {
        Map said = new groovy.json.JsonSlurper().parseText(answer.content)
        String mend = said.mend ? "; ${said.mend}" : ''
        return "${answer.status} ${said.title}: ${said.detail}${mend}"
    } catch (Exception e) {
        String text = answer.content
        return "${answer.status} ${text.length() > 200 ? text.substring(0, 200) : text}"
    }
}

@NonCPS
String header(Map headers, String name) {
    for (String key in headers.keySet()) {
        if (name.equalsIgnoreCase(key)) {
            return headers[key] ? headers[key][0].toString() : null
        }
    }
    return null
}

@NonCPS
String withoutSlash(String url) {
    return url.endsWith('/') ? url.substring(0, url.length() - 1) : url
}

@NonCPS
long minutes(Object said, int otherwise) {
    return (said == null ? otherwise : Integer.parseInt(said.toString())) * 60000L
}
