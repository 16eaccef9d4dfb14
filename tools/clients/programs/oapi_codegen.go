// Records a session with the client that oapi-codegen makes; see tools/clients/scene.py.
package main

import (
	"context"
	"log"
	"net/http"
	"os"
	"strconv"
	"time"

	"example.com/parley"
)

func main() {
	log.SetFlags(0)
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()
	key := func(_ context.Context, request *http.Request) error {
		request.Header.Set("Authorization", "Bearer "+os.Getenv("PARLEY_KEY"))
		return nil
	}
	client, err := parley.NewClientWithResponses(os.Getenv("PARLEY_URL"), parley.WithRequestEditorFn(key))
	check(err)

	token := os.Getenv("WORKER_TOKEN")
	tags := []string{"made"}
	body := parley.CreateSessionRequest{Tags: &tags}
	check(body.Transport.FromLiveKitTransportRequest(parley.LiveKitTransportRequest{
		Type:        "livekit",
		Url:         os.Getenv("LIVEKIT_URL"),
		RoomName:    os.Getenv("ROOM"),
		WorkerToken: &token,
	}))
	created, err := client.CreateSessionWithResponse(ctx, nil, body)
	check(err)
	if created.JSON201 == nil {
		log.Fatalf("%s: %s", created.Status(), created.Body)
	}
	id := created.JSON201.Id

	reached := func(until parley.GetSessionParamsUntil, status parley.SessionResourceStatus) {
		wait := "wait=30"
		got, err := client.GetSessionWithResponse(ctx, id, &parley.GetSessionParams{Until: &until, Prefer: &wait})
		check(err)
		if got.JSON200 == nil {
			log.Fatalf("%s: %s", got.Status(), got.Body)
		}
		session, err := got.JSON200.AsSessionResource()
		check(err)
		if session.Status != status {
			log.Fatalf("%s instead of %s", session.Status, status)
		}
	}
	reached("running", parley.SessionResourceStatusRunning)
	seconds, err := strconv.ParseFloat(os.Getenv("SECONDS"), 64)
	check(err)
	time.Sleep(time.Duration(seconds * float64(time.Second)))
	ended, err := client.EndSessionWithResponse(ctx, id, nil, parley.EndSessionJSONRequestBody{})
	check(err)
	if ended.JSON200 == nil {
		log.Fatalf("%s: %s", ended.Status(), ended.Body)
	}
	reached("terminal", parley.SessionResourceStatusEnded)
	audio, err := client.GetAudioWithResponse(ctx, id, nil)
	check(err)
	if audio.StatusCode() != http.StatusOK {
		log.Fatalf("%s: %s", audio.Status(), audio.Body)
	}
	check(os.WriteFile(os.Getenv("OUT"), audio.Body, 0o600))
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
