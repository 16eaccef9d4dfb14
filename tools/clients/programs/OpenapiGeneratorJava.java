// Records a session with the Java client that openapi-generator makes; see tools/clients/scene.py.
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import org.openapitools.client.ApiClient;
import org.openapitools.client.ApiException;
import org.openapitools.client.api.RecordingsApi;
import org.openapitools.client.api.SessionsApi;
import org.openapitools.client.model.CreateSessionRequest;
import org.openapitools.client.model.CreateSessionRequestTransport;
import org.openapitools.client.model.LiveKitTransportRequest;
import org.openapitools.client.model.SessionResource;

public final class OpenapiGeneratorJava {
    private static void reached(SessionsApi sessions, String id, String until, SessionResource.StatusEnum status)
            throws ApiException {
        SessionResource now = sessions.getSession(id, until, null, "wait=30").getSessionResource();
        if (now.getStatus() != status) {
            throw new IllegalStateException(now.getStatus() + " instead of " + status);
        }
    }

    public static void main(String[] arguments) throws Exception {
        ApiClient client = new ApiClient();
        client.setBasePath(System.getenv("PARLEY_URL"));
        client.setBearerToken(System.getenv("PARLEY_KEY"));
        client.setReadTimeout(40_000);
        SessionsApi sessions = new SessionsApi(client);

        LiveKitTransportRequest transport =
                new LiveKitTransportRequest()
                        .type(LiveKitTransportRequest.TypeEnum.LIVEKIT)
                        .url(System.getenv("LIVEKIT_URL"))
                        .roomName(System.getenv("ROOM"))
                        .workerToken(System.getenv("WORKER_TOKEN"));
        CreateSessionRequest request =
                new CreateSessionRequest()
                        .transport(new CreateSessionRequestTransport(transport))
                        .tags(List.of("made"));
        String id = sessions.createSession(request, null).getId();
        reached(sessions, id, "running", SessionResource.StatusEnum.RUNNING);
        Thread.sleep((long) (Double.parseDouble(System.getenv("SECONDS")) * 1000));
        sessions.endSession(id, null, null);
        reached(sessions, id, "terminal", SessionResource.StatusEnum.ENDED);
        File audio = new RecordingsApi(client).getAudio(id, null, null, null);
        Files.move(audio.toPath(), Path.of(System.getenv("OUT")), StandardCopyOption.REPLACE_EXISTING);
    }
}
